"""`Journal`: the last things that happened, for whoever asks what is new."""

import time
from collections import deque

from chatapp.demo.shapes import SIDES
from chatapp.demo.shapes import Line

# A visitor sees a dozen. What is older was seen or is of no use.
KEPT_LINES = 200
TEXT_MAX = 120


class Journal:
    def __init__(self) -> None:
        # Beginning at the clock, the numbers of a new process lie above those of the one before.
        self._number = int(time.time() * 1000)
        self._lines: deque[Line] = deque(maxlen=KEPT_LINES)

    def say(self, side: str, text: str) -> None:
        self._number += 1
        self._lines.append({"number": self._number, "side": side, "text": text[:TEXT_MAX]})

    def say_to_all(self, text: str) -> None:
        for side in SIDES:
            self.say(side, text)

    def after(self, number: int) -> list[Line]:
        return [line for line in self._lines if line["number"] > number]
