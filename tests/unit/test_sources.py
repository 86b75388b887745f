"""What other services wrote is read as it was meant; whatever else stands there, nothing but a refusal comes of it."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from chatapp.keeping import Refused
from chatapp.keeping import Said
from chatapp.keeping import imported
from chatapp.keeping.sources import READERS
from chatapp.keeping.sources import SourceFault
from chatapp.keeping.sources import kind_of
from chatapp.keeping.sources import slack
from chatapp.keeping.sources.names import room_name

IRSSI = """--- Log opened Mon Nov 30 09:00:00 2026
09:00 -!- ada [~ada@example.org] has joined #tea
09:01 <@ada> hello \x02bold\x02
09:01 < bob> hello
09:01 < bob> hello
09:02  * ada waves
--- Day changed Tue Dec 01 2026
[00:03] <bob> a new day
"""
WEECHAT = (
    "2026-11-30 09:00:00\t-->\tada (~ada@example.org) has joined #tea\n"
    "2026-11-30 09:00:05\t@ada\thello\tthere\n"
    "2026-11-30 09:00:06\t *\tbob waves\n"
)
CHANNELS = [{"id": "C1", "name": "Tea Room"}, {"id": "C2", "name": "empty"}]
USERS = [
    {"id": "U1", "name": "ada", "profile": {"display_name": "Ada L.", "real_name": "Ada Lovelace"}},
    {"id": "U2", "name": "bob", "profile": {"display_name": "", "real_name": "Bob"}},
]
DAYS: dict[str, list[dict[str, Any]]] = {
    "2026-11-30": [
        {"type": "message", "user": "U2", "ts": "1796032803.000200", "text": "second &amp; <https://a.example|a link>"},
        {
            "type": "message",
            "user": "U1",
            "ts": "1796032803.000100",
            "text": "<@U2>: see <#C2|empty> <!here> &lt;b&gt;",
        },
        {"type": "message", "subtype": "channel_join", "user": "U1", "ts": "1796032800.000000", "text": "joined"},
    ],
    "2026-12-01": [
        {"type": "message", "ts": "1796119203.000000", "username": "robot", "subtype": "bot_message", "text": "beep"},
        {"type": "message", "user": "U1", "text": "when?"},
        {"user": "U1", "ts": "1796119204.000000", "text": "", "files": [{"name": "a.png", "url_private": "https://f"}]},
    ],
}


def read(path: Path) -> list[Said | Refused]:
    return list(READERS[kind_of(path)](path))


def short(found: list[Said | Refused]) -> list[tuple[str, ...]]:
    return [(one.name, one.body) if isinstance(one, Said) else (one.line, one.reason) for one in found]


@pytest.fixture
def slack_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    (folder / "Tea Room").mkdir(parents=True)
    (folder / "channels.json").write_text(json.dumps(CHANNELS))
    (folder / "users.json").write_text(json.dumps(USERS))
    for day, messages in DAYS.items():
        (folder / "Tea Room" / f"{day}.json").write_text(json.dumps(messages))
    return folder


def test_an_export_of_slack_as_a_folder_and_as_a_zip(slack_folder: Path, tmp_path: Path) -> None:
    with ZipFile(tmp_path / "export.zip", "w") as archive:
        for file in slack_folder.rglob("*.json"):
            archive.write(file, file.relative_to(slack_folder))
    found = read(slack_folder)
    assert read(tmp_path / "export.zip") == found
    assert short(found) == [
        ("Ada L.", "@Bob: see #empty @here <b>"),
        ("Bob", "second & a link (https://a.example)"),
        ("Tea Room/2026-12-01.json, message 2", "it has no time"),
        ("robot", "beep"),
        ("Ada L.", "a.png https://f"),
    ]
    assert [one.room for one in found if isinstance(one, Said)] == ["tea-room"] * 4
    assert isinstance(found[0], Said)
    assert found[0].at_ms == 1_796_032_803_000


def test_what_is_no_export_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceFault, match="no export of Slack"):
        read(tmp_path)
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(SourceFault, match="no zip"):
        read(broken)
    log = tmp_path / "tea.log"
    log.write_text("09:01 <ada> on which day?\n")
    with pytest.raises(SourceFault, match="line 1: on which day"):
        read(log)


def test_a_bulk_export_of_mattermost(tmp_path: Path) -> None:
    file = tmp_path / "bulk.jsonl"
    reply = {"user": "bob", "message": "a reply", "create_at": 1_700_000_002_000}
    post = {"team": "t", "channel": "tea", "user": "ada", "message": "hello", "create_at": 1_700_000_001_000}
    rows: list[Any] = [
        {"type": "version", "version": 1},
        {"type": "post", "post": {**post, "message": "later", "create_at": 1_700_000_003_000}},
        {"type": "post", "post": {**post, "replies": [reply]}},
        {"type": "post", "post": {"channel": "tea"}},
    ]
    file.write_text("".join(json.dumps(one) + "\n" for one in rows))
    assert short(read(file)) == [
        ("4", "it is no post"),
        ("ada", "hello"),
        ("bob", "a reply"),
        ("ada", "later"),
    ]


def test_channels_of_mattermost_are_of_a_team_and_open_or_not(tmp_path: Path) -> None:
    file = tmp_path / "bulk.jsonl"
    channels = [("one", "tea", "O"), ("two", "tea", "P"), ("one", "news", "O")]
    post = {"user": "ada", "message": "hello", "create_at": 1_700_000_001_000}
    rows: list[Any] = [
        {"type": "version", "version": 1},
        *({"type": "channel", "channel": {"team": team, "name": name, "type": of}} for team, name, of in channels),
        *({"type": "post", "post": {**post, "team": team, "channel": name}} for team, name, _ in channels),
        {"type": "post", "post": {**post, "team": "one", "channel": "not-listed"}},
    ]
    file.write_text("".join(json.dumps(one) + "\n" for one in rows))
    found = [one for one in read(file) if isinstance(one, Said)]
    assert sorted((one.room, one.channel, one.private) for one in found) == [
        ("news", "news", False),
        ("not-listed", "not-listed", True),
        ("one-tea", "tea", False),
        ("two-tea", "tea", True),
    ]
    assert len({one.key for one in found}) == 4


def test_a_line_that_is_too_long_is_refused_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "x.jsonl"
    reply = {"user": "bob", "message": "a reply", "create_at": 1_700_000_002_000}
    post = {"channel": "tea", "user": "ada", "message": "hello", "create_at": 1_700_000_001_000}
    long = {"type": "post", "post": {**post, "replies": [reply] * 20_000}}
    file.write_text("".join(json.dumps(one) + "\n" for one in ({"type": "version"}, long, {"type": "post"})))
    # A thread of more than a megabyte.
    found = list(READERS["mattermost"](file))
    assert short(found[:2]) == [("3", "it is no post"), ("ada", "hello")]
    assert len(found) == 20_002
    monkeypatch.setattr("chatapp.keeping.sources.mattermost.LINE_MAX_BYTES", 1_000)
    assert short(list(READERS["mattermost"](file))) == [("2", "it is too long"), ("3", "it is no post")]
    refused = short(list(READERS["chatapp"](file)))
    assert [line for line, _ in refused] == ["1", "2", "3"]
    assert refused[1] == ("2", "it is too long")
    monkeypatch.setattr("chatapp.keeping.sources.irc.LINE_MAX_BYTES", 16)
    file.write_bytes(b"x" * 16 + b"\n" + b"y" * 15 + b"\n" + b"z" * 40)
    assert [one[0] for one in short(list(READERS["irc"](file)))] == ["1", "2", "3"]


def test_a_damaged_or_swollen_archive_is_one_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "export.zip"
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("channels.json", json.dumps([{"name": "tea"}]))
        archive.writestr("tea/2026-11-30.json", json.dumps([{"ts": "1.5", "user": "U1", "text": "x" * 10_000}]))
    whole = path.read_bytes()
    faults = 0
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            list(slack.read(path))
        except (SourceFault, OSError):
            faults += 1
    assert faults > 20
    path.write_bytes(whole)
    assert len(list(slack.read(path))) == 1
    monkeypatch.setattr(slack, "FILE_MAX_BYTES", 5_000)
    with pytest.raises(SourceFault, match="longer than"):
        list(slack.read(path))


def test_logs_of_irc(tmp_path: Path) -> None:
    file = tmp_path / "#tea.log"
    file.write_text(IRSSI)
    found = read(file)
    assert short(found) == [
        ("ada", "hello bold"),
        ("bob", "hello"),
        ("bob", "hello"),
        ("ada", "ada waves"),
        ("bob", "a new day"),
    ]
    said = [one for one in found if isinstance(one, Said)]
    assert len({one.key for one in said}) == 5
    assert {one.room for one in said} == {"tea"}
    # Half past midnight of the first of December 2026, in UTC.
    assert said[-1].at_ms - said[0].at_ms == (15 * 60 + 2) * 60 * 1000
    file.write_text(WEECHAT)
    assert short(read(file)) == [("ada", "hello\tthere"), ("bob", "bob waves")]


LINES = "--- Day changed Mon Nov 30 2026|--- Log opened Mon Foo 31 09:00:00 2026|12:34|[99:99]|<ada>|< @x>|\t| |*|-->"
WORDS = st.sampled_from([*LINES.split("|"), "2026-11-30 09:00:05", "hello", "\x03", "\n", "\r", "\x00", "é"])


def at(content: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.log"
        path.write_bytes(content)
        yield path


@given(st.one_of(st.lists(WORDS).map(lambda words: "".join(words).encode()), st.binary(max_size=200)))
@settings(max_examples=200, deadline=None)
def test_no_file_breaks_a_reader(content: bytes) -> None:
    for path in at(content):
        for kind in ("chatapp", "mattermost", "irc"):
            try:
                found = list(READERS[kind](path))
            except SourceFault:
                continue
            assert all(isinstance(one, Said | Refused) for one in found)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["ts", "user", "text", "type", "subtype", "files", "user_profile", "name", "id"]), inner
        )
    ),
    max_leaves=10,
)


ODD = (
    st.none() | st.integers() | st.sampled_from([1e999, float("nan"), 10**400, "\ud800", "", [], {}, "tea", 1.5, "U1"])
)
MOMENTS = ODD | st.sampled_from(["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00", "2024-01-01T10:00:00Z"])


@given(st.lists(ODD, min_size=6, max_size=6), st.lists(MOMENTS, min_size=3, max_size=3))
@settings(max_examples=200, deadline=None)
def test_no_odd_value_breaks_a_reader(odd: list[Any], moments: list[Any]) -> None:
    team, channel, user, message, at_, kind = odd
    created, edited, deleted = moments
    post = {"team": team, "channel": channel, "user": user, "message": message, "create_at": at_, "replies": [odd]}
    rows = [
        {"type": "channel", "channel": {"team": team, "name": channel, "type": kind}},
        {"type": "post", "post": post},
        {"type": "post", "post": {**post, "create_at": 1, "replies": [{**post, "create_at": kind}, post]}},
        {"id": channel, "room": team, "sender": {"id": user, "name": user}, "body": message, "createdAt": created}
        | {"editedAt": edited, "deletedAt": deleted},
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.jsonl"
        path.write_text("".join(json.dumps(one) + "\n" for one in rows))
        for name in ("chatapp", "mattermost"):
            for one in READERS[name](path):
                if isinstance(one, Said):
                    imported.local_id(name, one.room, one.key, 0)
                    imported.person_id(name, one.sender)
                    imported.shown_name(one.name)
        (Path(folder) / "c").mkdir()
        (Path(folder) / "channels.json").write_text(json.dumps([{"name": "c"}]))
        messages = [{"ts": at_, "user": user, "text": message}, {"ts": "1.5", "user": "U1", "text": "x"}]
        (Path(folder) / "c" / "2026-11-30.json").write_text(json.dumps(messages))
        assert all(isinstance(one, Said | Refused) for one in slack.read(Path(folder)))


@given(JSON, JSON, JSON)
@settings(max_examples=150, deadline=None)
def test_no_export_breaks_the_reader_of_slack(channels: Any, users: Any, day: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "c").mkdir()
        (path / "channels.json").write_text(json.dumps([{"name": "c"}, channels]))
        (path / "users.json").write_text(json.dumps([users]))
        (path / "c" / "2026-11-30.json").write_text(json.dumps([day, {"ts": "1.5", "user": "U1", "text": "x"}]))
        assert any(isinstance(one, Said) and one.body == "x" for one in slack.read(path))


@given(st.text(max_size=300), st.integers(1, 40))
def test_long_texts_are_cut_without_a_loss(text: str, most: int) -> None:
    said = Said("1", "r", "k", "s", "n", text, 1)
    parts = list(imported.parts(said, most))
    assert all(0 < len(part) <= most and part.strip() for part in parts)
    assert "".join("".join(parts).split()) == "".join(imported.fit(text).split())


def test_channels_have_names_that_rooms_may_have() -> None:
    assert [room_name(one) for one in ("Tea Room", "#tea", "dm-dm-ada", "Äpfel_2", "☕")] == [
        "tea-room",
        "tea",
        "ada",
        "apfel-2",
        "channel-cf1f91e6",
    ]
