"""What was appended to replies that grow, against what they say: I13; and that read receipts go forward only: I9."""

from tests.faults.facts import Facts
from tests.faults.report import Report
from tests.support.followers import place


def check_growth(facts: Facts, report: Report) -> None:
    _check_appended(facts, report)
    _check_shown(facts, report)
    _check_read(facts, report)


def _check_appended(facts: Facts, report: Report) -> None:
    """Whatever was answered stands in its place, in the end and in the answer that ended it."""
    kept = {record["id"]: record["text"] for record in facts.of("grown_row")}
    told = {record["id"]: record["text"] for record in facts.of("finish")}
    for record in facts.of("append"):
        id_, at, text = record["id"], record["at"], record["text"]
        for where, texts in (("its row", kept), ("the answer to its end", told)):
            if where == "its row" and id_ not in texts:
                report.add("I13", f"{id_} took an append at {at}, expected a row, found none")
            elif id_ in texts and texts[id_][at : at + len(text)] != text:
                found = texts[id_][at : at + len(text)]
                report.add("I13", f"{id_} took {text!r} at {at}, expected it in {where}, found {found!r}")
    for record in facts.of("append", "fail"):
        report.add("I13", f"{record['id']} took no append at {record['at']}: {record['said']}")


def _check_shown(facts: Facts, report: Report) -> None:
    """A reply that is shown grows only, and says in the end what its row says."""
    kept = {record["id"]: record["text"] for record in facts.of("grown_row")}
    shown: dict[tuple[str, str], str] = {}
    ended: set[tuple[str, str]] = set()
    for record in facts.of("grown"):
        key = record["actor"], record["id"]
        before, text = shown.get(key, ""), record["text"]
        if not text.startswith(before) or key in ended:
            report.add("I13", f"{key[0]} showed {text!r} of {key[1]} after {before!r}")
        if not record["growing"]:
            ended.add(key)
            if kept.get(key[1], text) != text:
                report.add("I13", f"{key[0]} showed {text!r} as the end of {key[1]}, its row says {kept[key[1]]!r}")
        shown[key] = text
    for record in facts.of("finish"):
        for actor in {actor for actor, _ in shown}:
            if (actor, record["id"]) not in ended:
                report.add("I13", f"{actor} never showed the end of {record['id']}")


def _check_read(facts: Facts, report: Report) -> None:
    """What was answered is read, and stays so."""
    answered: dict[str, str] = {}
    told: dict[str, str] = {}
    for record in sorted([*facts.of("read", "invoke"), *facts.of("read")], key=lambda one: one["mono"]):
        actor, cursor = record["actor"], record["cursor"]
        if record["type"] == "invoke":
            answered[actor] = cursor
            continue
        for known in (told.get(actor), answered.get(actor)):
            if known is not None and (cursor is None or place(cursor) < place(known)):
                report.add("I9", f"{actor} was told readCursor {cursor}, expected {known} at least")
        told[actor] = cursor or told.get(actor, "0-0")
