"""The floor: a bare epoll loop in C that writes the same bytes to the same sockets, and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench import request
from bench.built import program
from bench.target import Target
from bench.target import running
from bench.tree import Tree
from tests.support.processes import free_port

NAME = "C loop"


@contextmanager
def c_loop() -> Iterator[Target]:
    port = free_port()
    with running([program("epoll_server"), str(port)], port) as process:
        yield Target(NAME, port, Tree(process.pid), [request.get("/")], [request.post("/", request.MESSAGE)])
