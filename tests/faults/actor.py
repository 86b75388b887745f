"""`Actor`: a client in a thread of its own. An error that ends it early is raised where it is waited for."""

import threading

STOP_TIMEOUT_S = 60.0


class Actor(threading.Thread):
    """Write `act`, which looks at `stopping` now and then. `close` comes after it, however it ended."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.stopping = threading.Event()
        # Even what is under way may be left unfinished.
        self.abandoned = threading.Event()
        self._failure: Exception | None = None

    def act(self) -> None:
        raise NotImplementedError

    def run(self) -> None:
        try:
            self.act()
        except Exception as failure:
            self._failure = failure
        finally:
            self.close()

    def close(self) -> None:
        """Let go of what the actor holds open."""

    def finish(self) -> None:
        """Stop when what is under way has come to its end."""
        self.stopping.set()

    def abandon(self) -> None:
        """Stop now."""
        self.abandoned.set()
        self.stopping.set()

    def wait(self) -> None:
        """Raises TimeoutError if it goes on, and RuntimeError if it failed."""
        self.join(STOP_TIMEOUT_S)
        if self.is_alive():
            raise TimeoutError(f"{self.name} did not stop within {STOP_TIMEOUT_S} s")
        if self._failure is not None:
            raise RuntimeError(f"{self.name} failed: {self._failure!r}") from self._failure
