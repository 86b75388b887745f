"""A request as bytes, for what no HTTP library would send, and its answer."""

import socket
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class RawAnswer:
    status: int
    head: str
    body: bytes

    def field(self, name: str) -> str | None:
        """The first field of this name, given in lower case."""
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name:
                return value.strip()
        return None


def ask(url: str, method: str, path: str, *lines: str | bytes, body: bytes = b"") -> RawAnswer:
    """Send it on a connection of its own, with a Host unless there is one among the lines, and read to the end."""
    head: list[str | bytes] = [f"{method} {path} HTTP/1.1", *lines, "Connection: close"]
    if not any(_bytes(line).lower().startswith(b"host:") for line in lines):
        head.append(f"Host: {urlsplit(url).netloc}")
    if body:
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return send(url, b"\r\n".join(_bytes(line) for line in head) + b"\r\n\r\n" + body)


def send(url: str, request: bytes) -> RawAnswer:
    parts = urlsplit(url)
    received = b""
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=15) as connection:
        connection.sendall(request)
        while piece := connection.recv(65536):
            received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    return RawAnswer(int(head.split()[1]), head.decode("latin-1"), body)


def _bytes(line: str | bytes) -> bytes:
    return line if isinstance(line, bytes) else line.encode("latin-1")
