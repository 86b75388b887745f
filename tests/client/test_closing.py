"""Closing, and being called away: whoever waits is told, the file is let go of, and nothing is lost without a word."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from chatapp.client import AsyncClient
from chatapp.client import Away
from chatapp.client import Client
from chatapp.client import Closed
from chatapp.client import Message
from chatapp.client.parts import Parts
from chatapp.client.threads.sending import Sending
from tests.client.conftest import Connect
from tests.support import own_loop
from tests.support.person import Person
from tests.support.tcp_proxy import TcpProxy

SOON_S = 15.0
# Nobody listens there: port 9 is discard.
NOWHERE = "http://127.0.0.1:9"


def test_whoever_waits_for_a_message_is_told(connect: Connect, file: Path) -> None:
    client = connect(NOWHERE, "token", outbox=file)
    sending = client.send("general", "kept")
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(sending.wait, SOON_S)
        client.close(0)
        with pytest.raises(Closed):
            waiting.result(SOON_S)
    assert sending.state == "sending"


def test_a_client_whose_task_never_ran_tells_it_too(file: Path) -> None:
    with Client(NOWHERE, "token", outbox=file) as first:
        local_id = first.send("general", "kept").local_id
        first.close(0)

    async def wait() -> None:
        client = AsyncClient(NOWHERE, "token", outbox=file)
        sending = client.sending(local_id)
        assert sending is not None
        waiting = asyncio.create_task(sending.wait(SOON_S))
        await client.close(0)
        with pytest.raises(Closed):
            await waiting

    own_loop.run(wait())


def test_what_is_taken_while_it_closes_is_counted() -> None:
    parts = Parts(NOWHERE, "token", None, None, 10, Sending)
    parts.sender.add("general", "lost", None, None)
    assert isinstance(parts.close(), Away)
    with pytest.raises(Closed):
        parts.sender.add("general", "not taken", None, None)


def is_let_go(file: Path) -> bool:
    """Raises OutboxInUse."""
    Client(NOWHERE, "token", outbox=file).close(0)
    return True


def test_the_file_is_let_go_of_when_the_task_was_cancelled(file: Path) -> None:
    async def close() -> None:
        client = AsyncClient(NOWHERE, "token", outbox=file)
        client.send("general", "kept")
        [task] = [one for one in asyncio.all_tasks() if one.get_name() == "chatapp-outbox"]
        task.cancel()
        await asyncio.wait((task,))
        await client.close(0)
        assert is_let_go(file)

    own_loop.run(close())


def test_the_file_is_let_go_of_when_closing_is_cancelled(file: Path) -> None:
    async def close() -> None:
        client = AsyncClient(NOWHERE, "token", outbox=file)
        client.send("general", "kept")
        closing = asyncio.create_task(client.close(SOON_S))
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait((closing,))
        assert closing.cancelled()
        assert is_let_go(file)

    own_loop.run(close())


def test_a_reply_is_finished_after_its_writer_was_called_away_from_that(
    ada: Person, own_room: str, proxy: TcpProxy
) -> None:
    async def write() -> Message | None:
        async with AsyncClient(proxy.url, ada.token) as client, client.reply(own_room) as reply:
            proxy.cut()
            await reply.write("to the end")
            with suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await reply.finish()
            proxy.restore()
        return reply.message

    message = own_loop.run(asyncio.wait_for(write(), SOON_S))
    assert message is not None
    assert (message.body, message.growing) == ("to the end", False)
