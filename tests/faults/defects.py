"""Defects to plant in the story of `honest`: each one changes its records in place."""

from tests.faults.planting import Defect
from tests.faults.planting import Records
from tests.faults.planting import add
from tests.faults.planting import exchange
from tests.faults.planting import remove
from tests.faults.planting import those

READER = "rae"


def acknowledged_message_lost(records: Records) -> None:
    """Nobody but its sender ever heard of it."""
    send = those(records, "send", room="hall")[3]
    for f in ("deliver", "shown", "receipt", "row"):
        remove(records, *those(records, f, id=send["id"]))
    for drain in those(records, "drain"):
        drain["ids"] = [one for one in drain["ids"] if one != send["id"]]


def message_lost_in_one_view(records: Records) -> None:
    remove(records, those(records, "shown", actor=READER)[4])


def message_shown_twice(records: Records) -> None:
    add(records, those(records, "shown", actor=READER)[4])


def one_local_id_under_two_ids(records: Records) -> None:
    row = those(records, "row", user="ada", room="hall")[-1]
    add(records, row, id="id-again", seq="1863781234000-0")
    for reader in ("rae", "ray", "roy"):
        shown = those(records, "shown", actor=reader, id=row["id"])[0]
        # Beyond everything, so shown after everything.
        add(records, shown, seconds=10.0, id="id-again", seq="1863781234000-0")
    for drain in those(records, "drain"):
        drain["ids"].append("id-again")


def unknown_outcome_stored_twice(records: Records) -> None:
    retried = those(records, "send", "info")[0]
    row = those(records, "row", localId=retried["localId"])[0]
    # Nobody has to have shown the second one.
    for declared in those(records, "actor"):
        declared["continuous"] = False
    add(records, row, id="id-again", seq="1863781234000-0")
    for reader in ("rae", "ray"):
        for drain in those(records, "drain", user=reader):
            drain["ids"].append("id-again")


def two_swapped_in_one_view(records: Records) -> None:
    first, second = those(records, "shown", actor=READER, room="hall")[1:3]
    exchange(first, second, "id", "localId", "user", "seq", "hash")


def sent_later_but_placed_before(records: Records) -> None:
    first, second = those(records, "send", user="ada", room="hall")[1:3]
    one, other = first["id"], second["id"]
    seqs = {one: second["seq"], other: first["seq"]}
    for record in records:
        if record.get("id") in seqs and record.get("seq") is not None:
            record["seq"] = seqs[record["id"]]
    # Every reader is shown both in the order of the log.
    for f in ("deliver", "shown"):
        for reader in ("rae", "ray", "roy"):
            earlier, later = (those(records, f, actor=reader, id=id_)[0] for id_ in (one, other))
            exchange(earlier, later, "id", "localId", "user", "seq", "hash")


def told_after_removal(records: Records, seconds: float = 2.0) -> None:
    left = those(records, "member", user="roy", room="den", change="left")[0]
    event = those(records, "deliver", actor="ray", room="den")[-1]
    add(records, {**event, "mono": left["mono"]}, seconds, actor="roy")


def read_after_removal(records: Records) -> None:
    those(records, "drain", user="roy")[0]["ids"].append(those(records, "row", room="den")[0]["id"])


def phantom_shown(records: Records) -> None:
    add(records, those(records, "shown", actor=READER)[4], id="id-phantom", localId="local-phantom", seq=None)


def phantom_delivered(records: Records) -> None:
    add(records, those(records, "deliver", actor=READER)[4], id="id-phantom", localId="local-phantom")


def phantom_read(records: Records) -> None:
    those(records, "drain", user=READER)[0]["ids"].append("id-phantom")


def row_that_nobody_sent(records: Records) -> None:
    add(records, those(records, "row", room="hall")[0], id="id-new", localId="local-new", seq="1663781234000-0")
    for drain in those(records, "drain", since="0-0"):
        drain["ids"].append("id-new")


def refused_but_stored(records: Records) -> None:
    sent = those(records, "send", "invoke", room="attic")[0]
    named = {name: sent[name] for name in ("user", "room", "localId", "hash")}
    add(records, those(records, "row")[0], id="id-new", seq="1663781234000-0", status="sent", **named)


def body_changed_for_one(records: Records) -> None:
    those(records, "shown", actor=READER)[4]["hash"] = "another"


def body_changed_for_all(records: Records) -> None:
    changed = those(records, "row", room="hall")[2]
    for f in ("row", "deliver", "shown"):
        for record in those(records, f, id=changed["id"]):
            record["hash"] = "another"


def place_changed_for_one(records: Records) -> None:
    those(records, "shown", actor=READER)[-1]["seq"] = "1863781234000-0"


def hole_filled_late(records: Records, seconds: float = 6.0) -> None:
    shown, later = those(records, "shown", actor=READER, room="den")[:2]
    shown["mono"] = later["mono"] + seconds


def cursor_that_skips_one(records: Records) -> None:
    those(records, "drain", user=READER, since="0-0")[0]["ids"].pop(7)


def cursor_refused(records: Records) -> None:
    issued = those(records, "deliver", actor="ray")[3]["cursor"]
    add(records, records[-1], actor=READER, f="resync", cursor=issued)


def status_goes_back(records: Records) -> None:
    add(records, those(records, "receipt")[0], status="sent", deliveredTo=None)


def status_goes_back_in_the_row(records: Records) -> None:
    told = those(records, "receipt")[0]
    those(records, "row", id=told["id"])[0]["status"] = "sent"


def delivered_to_nobody(records: Records) -> None:
    """Only the sender's own client came that far."""
    ack = those(records, "ack")[0]
    ack["actor"] = "ada"
    told = those(records, "receipt", actor="bob")
    remove(records, *(one for one in told if one["mono"] < ack["mono"] + 5.0))


def delivered_to_more_than_confirmed(records: Records) -> None:
    those(records, "receipt")[0]["deliveredTo"] = 2


def delivered_to_fewer_than_before(records: Records) -> None:
    add(records, those(records, "receipt")[-1], status=None, deliveredTo=0)


def converged_late(records: Records) -> None:
    those(records, "converged")[0]["seconds"] = 16.0


def never_converged(records: Records) -> None:
    those(records, "converged")[0].update(type="fail", missing=3)


def convergence_not_looked_at(records: Records) -> None:
    remove(records, *those(records, "converged"))


DEFECTS = [
    Defect(acknowledged_message_lost, {"I1"}, {"lost": 1, "shown": 62}),
    Defect(message_lost_in_one_view, {"I1"}, {"lost": 1, "shown": 64}),
    Defect(message_shown_twice, {"I4"}, {"repeated": 1, "shown": 66}),
    Defect(one_local_id_under_two_ids, {"I2", "I4"}, {"repeated": 3}),
    Defect(unknown_outcome_stored_twice, {"I2"}),
    Defect(two_swapped_in_one_view, {"I6"}, {"moved": 1}),
    Defect(sent_later_but_placed_before, {"I6"}, {"moved": 1}),
    Defect(told_after_removal, {"I10"}),
    Defect(read_after_removal, {"I10"}),
    Defect(phantom_shown, {"I3"}),
    Defect(phantom_delivered, {"I12"}),
    Defect(phantom_read, {"I12"}),
    Defect(row_that_nobody_sent, {"I3"}),
    Defect(refused_but_stored, {"I3"}),
    Defect(body_changed_for_one, {"I5"}),
    Defect(body_changed_for_all, {"I5"}),
    Defect(place_changed_for_one, {"I5"}),
    Defect(hole_filled_late, {"I6", "I7"}),
    Defect(cursor_that_skips_one, {"I8"}),
    Defect(cursor_refused, {"I8"}),
    Defect(status_goes_back, {"I9"}),
    Defect(status_goes_back_in_the_row, {"I9"}),
    Defect(delivered_to_nobody, {"I9"}),
    Defect(delivered_to_more_than_confirmed, {"I9"}),
    Defect(delivered_to_fewer_than_before, {"I9"}),
    Defect(converged_late, {"I11"}),
    Defect(never_converged, {"I11"}),
    Defect(convergence_not_looked_at, {"I11"}),
]
