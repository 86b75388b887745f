"""text/event-stream framing (WHATWG HTML, section 9.2). Pure, and the only place that knows the format."""

# The blank line that ends an event.
END = b"\n\n"
CONTENT_TYPE = "text/event-stream; charset=utf-8"
# Something that no reader sees: it keeps a quiet connection from being taken for dead.
COMMENT = b":\n\n"


def frame(event: str, data: bytes, cursor: str | None = None) -> bytes:
    """One event: `data` is one line of JSON. Without a cursor it does not move the reader's Last-Event-ID.

    Raises ValueError for a line break, which would end the field and let content pose as framing.
    """
    head = f"event: {event}\n" if cursor is None else f"id: {cursor}\nevent: {event}\n"
    if b"\n" in data or b"\r" in data or "\r" in head or head.count("\n") != (1 if cursor is None else 2):
        raise ValueError("a field of an event holds a line break")
    return head.encode() + b"data: " + data + END


def lines(event: str, data: bytes) -> bytes:
    """One event whose data may have several lines. Raises ValueError for a CR, which would come back as another one."""
    if b"\r" in data:
        raise ValueError("the data of an event holds a CR")
    return b"event: %b\n" % event.encode() + b"".join([b"data: %b\n" % line for line in data.split(b"\n")]) + b"\n"


def retry(milliseconds: int) -> bytes:
    """How long the browser waits before it comes back."""
    return b"retry: %d\n\n" % milliseconds
