"""The command `chatapp`: what an operator does beside the running service."""

from chatapp.command.cli import chatapp
from chatapp.command.cli import main

__all__ = ["chatapp", "main"]
