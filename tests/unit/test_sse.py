import pytest

from chatapp.wire import sse


def test_a_frame_is_three_lines_and_a_blank_one() -> None:
    assert sse.frame("ready", b"{}", "1-0") == b"id: 1-0\nevent: ready\ndata: {}\n\n"


def test_without_a_cursor_there_is_no_id_line() -> None:
    assert sse.frame("typing", b"{}") == b"event: typing\ndata: {}\n\n"


@pytest.mark.parametrize(
    ("event", "data", "cursor"),
    [("a\nb", b"{}", None), ("a", b"{\n}", None), ("a", b"{}\r", None), ("a", b"{}", "1\n2"), ("a\rb", b"{}", "1")],
)
def test_nothing_can_pose_as_framing(event: str, data: bytes, cursor: str | None) -> None:
    with pytest.raises(ValueError, match="line break"):
        sse.frame(event, data, cursor)


def test_retry() -> None:
    assert sse.retry(1500) == b"retry: 1500\n\n"
