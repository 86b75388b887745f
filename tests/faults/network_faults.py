"""What happens on the way between clients and service."""

import os
import random
import signal

from tests.faults.load import Load
from tests.faults.world import World

# Longer than a raw client waits before it takes a stream for dead.
HELD_S = 8.0
GATEWAY_ANSWERS: list[tuple[int, bytes, str]] = [
    (502, b"<h1>Bad Gateway</h1>", "text/html"),
    (503, b"", "text/plain"),
    (200, b"<h1>Sign in to the network</h1>", "text/html"),
    (204, b"", "text/plain"),
]


def cut(world: World, load: Load) -> None:
    """All connections cut, ten times."""
    world.owes_answers = False
    with world.fault("connections cut"):
        for _ in range(10):
            world.proxy.cut_now()
            load.goes_on(10)


def refuse(world: World, load: Load) -> None:
    """Nobody gets through for eight seconds."""
    world.owes_answers = False
    with world.fault("connections refused"):
        world.proxy.cut()
        world.hold(HELD_S)
        world.proxy.restore()
        load.goes_on(30)


def hold_streams_back(world: World, load: Load) -> None:
    """Streams are held back for eight seconds, as by a proxy that gathers its answers."""
    world.owes_answers = False
    with world.fault("streams held back"):
        world.proxy.mute_streams()
        world.hold(HELD_S)
        world.proxy.heal()


def swallow_replies(world: World, load: Load) -> None:
    """What is sent arrives, and no answer comes back, for eight seconds."""
    world.owes_answers = False
    with world.fault("replies swallowed"):
        world.proxy.swallow_replies()
        world.hold(HELD_S)
        world.proxy.heal()
        load.goes_on(30)


def cut_and_kill(world: World, load: Load) -> None:
    """Twice: answers swallowed, a worker killed meanwhile, nobody gets through, all connections cut."""
    world.owes_answers = False
    with world.fault("answers swallowed, a worker killed, connections refused and cut"):
        for _ in range(2):
            world.proxy.swallow_replies()
            world.hold(HELD_S / 4)
            os.kill(random.choice(world.service.workers()), signal.SIGKILL)
            world.hold(HELD_S / 4)
            world.proxy.heal()
            world.proxy.cut()
            world.hold(HELD_S / 4)
            world.proxy.restore()
            load.goes_on(10)
            world.proxy.cut_now()
        load.goes_on(30)


def silence(world: World, load: Load) -> None:
    """No byte in either direction for eight seconds, and no end of a connection."""
    world.owes_answers = False
    with world.fault("silence"):
        world.proxy.silence()
        world.hold(HELD_S)
        world.proxy.heal()
        load.goes_on(30)


def answer_like_a_gateway(world: World, load: Load) -> None:
    """Streams and polls are answered 502, 503, 200 with a page, and 204, for three seconds each."""
    world.owes_answers = False
    with world.fault("a broken gateway"):
        for status, body, content_type in GATEWAY_ANSWERS:
            world.proxy.answer_streams(status, body, content_type)
            world.proxy.cut_now()
            world.hold(3.0)
        world.proxy.heal()
        load.goes_on(30)
