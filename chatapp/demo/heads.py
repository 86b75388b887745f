"""The heads of requests and answers, as far as the proxy has to know and change them. Pure."""

from dataclasses import dataclass

API = "/api/v1/"
MESSAGES = "/messages"
SENDS = ("messages", "batch")
SHOWN_MAX = 24
END = b"\r\n\r\n"

# What the service says to every page; only what passes through here may stand in the demonstration's frames.
_NOT_FRAMED = b"frame-ancestors 'none'"


@dataclass(frozen=True)
class Request:
    """What a browser asks for."""

    method: str
    path: str

    @property
    def last(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def is_live(self) -> bool:
        """Whether it asks for news: by stream or by poll."""
        return self.path.startswith(f"{API}events/") and self.method == "GET"

    @property
    def is_send(self) -> bool:
        return self.method == "POST" and self.path.startswith(API) and self.last in SENDS

    @property
    def shown(self) -> str:
        """As a line of the log names it; "" for what the promises are not about: files, typing, what was read."""
        if not (self.path.startswith(API) and (self.is_live or MESSAGES in self.path)):
            return ""
        last = "".join(letter for letter in self.last if letter.isprintable())
        return f"{self.method} …/{last[:SHOWN_MAX]}"


@dataclass(frozen=True)
class Answer:
    """What the service says to it."""

    status: str
    is_stream: bool


def request(head: bytes) -> Request:
    method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
    return Request(method, rest.partition(" ")[0].partition("?")[0])


def answer(head: bytes) -> Answer:
    first, _, fields = head.decode("latin-1").partition("\r\n")
    return Answer(first.split(" ")[1] if " " in first else "", "text/event-stream" in fields.lower())


def for_one_answer(head: bytes) -> bytes:
    """The request on a connection of its own: then the answer ends with the connection, and nobody has to count."""
    first, *fields = head.removesuffix(END).split(b"\r\n")
    kept = [field for field in fields if not field.lower().startswith((b"connection:", b"keep-alive:"))]
    return b"\r\n".join([first, *kept, b"Connection: close"]) + END


def framed_by(head: bytes, ancestors: str) -> bytes:
    """The answer's head, with a policy by which these may show it in a frame."""
    return head.replace(_NOT_FRAMED, b"frame-ancestors " + ancestors.encode("latin-1"))
