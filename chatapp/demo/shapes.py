"""What the demonstration's process and those who ask it say to each other: one line of JSON each way."""

from typing import TypedDict

# Who takes part: the name in addresses, and the one that others see.
SIDES = {"ada": "Ada", "bob": "Bob"}
# What can be wrong with the network of a side.
SWITCHES = ("cut", "hold", "swallow")


class SideState(TypedDict):
    """One person's network."""

    side: str
    port: int
    switches: dict[str, bool]


class Line(TypedDict):
    """One thing that happened. Numbers only go up, also from one process to the next."""

    number: int
    side: str
    text: str


class State(TypedDict):
    """The answer to everything that is asked."""

    sides: list[SideState]
    lines: list[Line]
