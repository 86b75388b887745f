"""`Sending`: an `Outgoing` that a thread can wait for."""

import threading

from chatapp.client.errors import Away
from chatapp.client.message import Message
from chatapp.client.outbox import Item
from chatapp.client.outgoing import Outgoing


class Sending(Outgoing):
    def __init__(self, item: Item) -> None:
        self._told = threading.Condition()
        super().__init__(item)

    def wait(self, timeout: float | None = None) -> Message:
        """Until the service has it: the message. Raises Refused if it failed, Away after `timeout` seconds.

        After Away it is still on its way.
        """
        with self._told:
            message = self._told.wait_for(self.result, timeout)
        if message is None:
            raise Away(f"not sent within {timeout} s; it waits in the outbox")
        return message

    def _tell(self) -> None:
        with self._told:
            self._told.notify_all()
        super()._tell()
