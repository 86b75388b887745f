"""What a client sent, as it may stand in a line of the log: short, and without anything that a terminal would obey."""

SHOWN_MAX = 200


def shown(value: object) -> str:
    """In ASCII: `%0A` or `%1b` in a path, decoded, must not begin a line of its own or colour the screen."""
    text = str(value)
    cut = text[:SHOWN_MAX].encode("unicode_escape").decode("ascii")
    return cut if len(text) <= SHOWN_MAX else f"{cut}..."
