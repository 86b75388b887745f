"""The demonstration at `/demo`: two people behind networks that a visitor can break.

It runs in a process of its own, `python -m chatapp.demo`, which imports nothing else of the service and not this face's
users: the master starts it when it is first wanted (`server/demo_process`), and the workers ask it (`web/demo`).
"""

from chatapp.demo.asking import ANSWER_S
from chatapp.demo.asking import Away
from chatapp.demo.asking import ask
from chatapp.demo.shapes import SIDES
from chatapp.demo.shapes import SWITCHES
from chatapp.demo.shapes import State

__all__ = ["ANSWER_S", "SIDES", "SWITCHES", "Away", "State", "ask"]
