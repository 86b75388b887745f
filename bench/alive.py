"""Rooms that are alive: what it costs that people are there, type, and write replies that grow."""

import json
import secrets
import socket
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import httpx

from bench import fanout
from bench import ours
from bench.case import Figures
from bench.loads import Load
from bench.target import CannotRun

# Two thousand people with five streams each.
STREAMS, PEOPLE = 10_000, 2_000
REST_S = 10.0
# Longer than the grace of a presence, so that nothing of the opening is left.
SETTLED_S = 20.0
ROOM = 500
FILLS_S = 10.0
TYPED = 60
TYPED_PER_S = 5.0
BOTS = 50
PIECES_PER_S = 20.0
WRITE_S = 8.0
ANSWER_MAX = 64 * 1024
PIECE = "some words "


def figures() -> Iterator[Figures]:
    yield at_rest()
    yield filling()
    yield typing()
    yield growing()


def at_rest() -> Figures:
    """Processor time a second of the worker and its Redis, in percent, while nobody does anything."""
    with ours.service(PEOPLE) as service:
        target = service.target()
        with Load(target, STREAMS):
            time.sleep(SETTLED_S)
            before_s = target.tree.cpu_s()
            time.sleep(REST_S)
            spent_s = target.tree.cpu_s() - before_s
    return {"rest.percent": spent_s / REST_S * 100}


def filling() -> Figures:
    """How many presence events a member gets while the others of a room come one after another."""
    with ours.service(ROOM) as service:
        streams = service.streams()
        held = [_opened(service.port, streams[0])]
        for number, each in enumerate(streams[1:], 1):
            held.append(_opened(service.port, each))
            time.sleep(FILLS_S / ROOM if number % 5 else 0)
        time.sleep(3.0)
        told = _read(held[0]).count(b"event: presence")
        for one in held:
            one.close()
    return {"filling.events": told}


def typing() -> Figures:
    """CPU in µs for each receiver of a signal, beside that for each of a message, in the same room."""
    with ours.service(ROOM // ours.STREAMS_PER_USER + 1) as service:
        target = service.target()
        found = fanout.paced(target, ROOM, "alive", fanout.PACED_SMALL_ROOM)
        with Load(target, ROOM), httpx.Client(base_url=f"http://127.0.0.1:{service.port}") as http:
            # Whoever types has streams too, and hears nothing of it.
            receivers = ROOM - len(range(0, ROOM, len(service.tokens)))
            headers = {"Authorization": f"Bearer {service.tokens[0]}"}
            target.tree.settle()
            before_s, began_s = target.tree.cpu_s(), time.monotonic()
            for number in range(TYPED):
                time.sleep(max(0.0, began_s + number / TYPED_PER_S - time.monotonic()))
                http.post(f"/api/v1/rooms/{ours.ROOM}/typing", json={"typing": False}, headers=headers)
            spent_s = target.tree.cpu_s() - before_s
    return {
        "typing.cpu_us": spent_s / TYPED / receivers * 1e6,
        "typing.message_cpu_us": found["alive.cpu_us"],
    }


def growing() -> Figures:
    """CPU in µs of an append, and of a send, by as many who write as often, to the same service."""
    with ours.service(BOTS) as service:
        run = secrets.token_hex(4)
        sends = [
            partial(_post, ours.SEND, token, partial(_message, f"{run}-{who}"))
            for who, token in enumerate(service.tokens)
        ]
        found = {"growing.send_cpu_us": _write(service, sends)}
        appends = [
            partial(_post, f"/api/v1/messages/{_begun(service, token)}/append", token, _piece)
            for token in service.tokens
        ]
        found["growing.append_cpu_us"] = _write(service, appends)
    return found


def _message(run: str, number: int) -> dict[str, Any]:
    return {"localId": f"{run}-{number:08d}", "body": PIECE}


def _piece(number: int) -> dict[str, Any]:
    return {"at": len(PIECE) * number, "text": PIECE}


def _begun(service: ours.Ours, token: str) -> str:
    message = {"localId": secrets.token_hex(8), "body": "", "growing": True}
    answer = httpx.post(
        f"http://127.0.0.1:{service.port}{ours.SEND}", json=message, headers={"Authorization": f"Bearer {token}"}
    )
    id_: str = answer.json()["id"]
    return id_


def _post(path: str, token: str, body: Callable[[int], dict[str, Any]], number: int) -> bytes:
    content = json.dumps(body(number))
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n{content}".encode()


def _write(service: ours.Ours, writers: Sequence[Callable[[int], bytes]]) -> float:
    """Let each write PIECES_PER_S a second, the next after the answer to the one before. CPU in µs for each."""
    tree = service.tree()
    tree.settle()
    before_s = tree.cpu_s()
    with ThreadPoolExecutor(len(writers)) as pool:
        written = sum(pool.map(lambda request: _write_one(service.port, request), writers))
    return (tree.cpu_s() - before_s) / written * 1e6


def _write_one(port: int, request: Callable[[int], bytes]) -> int:
    """How many were taken. Raises CannotRun."""
    began_s, number = time.monotonic(), 0
    with socket.create_connection(("127.0.0.1", port), timeout=10) as one:
        while (due_s := number / PIECES_PER_S) < WRITE_S:
            time.sleep(max(0.0, began_s + due_s - time.monotonic()))
            one.sendall(request(number))
            answer = one.recv(ANSWER_MAX)
            if not answer.startswith(b"HTTP/1.1 20"):
                raise CannotRun(answer[:200].decode(errors="replace"))
            number += 1
    return number


def _opened(port: int, request: str) -> socket.socket:
    one = socket.create_connection(("127.0.0.1", port), timeout=10)
    one.sendall(request.replace(r"\r\n", "\r\n").encode())
    return one


def _read(one: socket.socket) -> bytes:
    """All that has come."""
    one.setblocking(False)
    found = b""
    with suppress(BlockingIOError):
        while part := one.recv(ANSWER_MAX):
            found += part
    return found
