"""Many clients that come back at once cost a few queries, not one or more each."""

import psycopg

from tests.conftest import Start
from tests.support.crowd import Crowd
from tests.support.person import Person
from tests.support.processes import wait_until

PEOPLE = 20
CLIENTS = 400
BEHIND = 10
# 15 s for 5,000 clients is the promise of the long test.
CAUGHT_UP_S = 15.0
# One of each person in each worker, and some for receipts: a hundred or two, where they come together. On a machine
# that has other work they come one after another; fourfold. Each by itself would be six: a ping and a transaction for
# each of session, rooms and receipt.
TRANSACTIONS_MAX = 2 * CLIENTS


def transactions(database_url: str) -> int:
    """How many transactions PostgreSQL has ended in this database; those of idle connections count within a second."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        ended = connection.execute(
            "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    assert ended is not None
    return int(ended[0])


def settled(database_url: str) -> int:
    """The count when it has stood still for two looks, this one's own transactions aside."""
    seen = [transactions(database_url)]

    def still() -> bool:
        seen.append(transactions(database_url))
        return seen[-1] - seen[-2] <= 2

    wait_until(lambda: still() and still() and still(), 20, "a database at rest")
    return seen[-1]


def test_returning_clients_share_their_queries(start_service: Start) -> None:
    service = start_service("postgres")
    people = [Person(service.url) for _ in range(PEOPLE)]
    room = people[0].create_room()
    for person in people[1:]:
        person.join(room)
    cursor = people[0].cursor()
    for number in range(BEHIND):
        people[0].send(room, f"missed {number}")
    before = settled(service.settings["DATABASE_URL"])
    crowd = Crowd(service.url, people, CLIENTS)
    crowd.come_back(cursor, b"event: message.created\n", BEHIND, CAUGHT_UP_S)
    after = settled(service.settings["DATABASE_URL"])
    crowd.close()
    print(f"{after - before} transactions for {CLIENTS} clients, all caught up after {crowd.caught_up_s(1.0):.1f} s")
    assert after - before < TRANSACTIONS_MAX
    for person in people:
        person.http.close()
    service.stop()
