"""`BrowserThread`: a Chromium with a profile of its own, in a thread of its own."""

import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any
from typing import TypeVar

import psutil
from playwright.sync_api import BrowserContext
from playwright.sync_api import Error
from playwright.sync_api import Page
from playwright.sync_api import sync_playwright

from tests.support.chromium import ARGUMENTS
from tests.support.chromium import CHROMIUM

T = TypeVar("T")

START_WITHIN_S = 60.0  # two cores shared with other work
END_WITHIN_S = 20.0
PATIENCE_MS = 15_000
# Playwright hears of the page only while it is in a call: this is how soon a job begins.
PUMP_MS = 20


class BrowserThread:
    """Playwright's synchronous API belongs to one thread: `call` has work done there, and returns what it returns."""

    def __init__(self, profile: Path, prepare: Callable[[BrowserContext], object], *, scripts: bool = True) -> None:
        self.profile = profile
        self._prepare = prepare
        self._scripts = scripts
        self._jobs: queue.SimpleQueue[tuple[Callable[[Page], Any], Future[Any]] | None] = queue.SimpleQueue()
        self._started: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name=f"browser {profile.name}", daemon=True)
        self._thread.start()
        self._started.result(START_WITHIN_S)

    def call(self, work: Callable[[Page], T], seconds: float = START_WITHIN_S) -> T:
        """Raises what `work` raises, and ConnectionError once the browser is gone."""
        future: Future[T] = Future()
        self._jobs.put((work, future))
        if not self._thread.is_alive():
            self._refuse_the_rest()
        return future.result(seconds)

    def close(self) -> None:
        """As a person closes the window."""
        self._jobs.put(None)
        self._thread.join(END_WITHIN_S)

    def crash(self) -> None:
        """kill -9 of every process of this browser. What its profile has on disk stays."""
        mark = f"--user-data-dir={self.profile}"
        for process in psutil.process_iter(["cmdline"]):
            if mark in (process.info["cmdline"] or []):
                with contextlib.suppress(psutil.NoSuchProcess):
                    family = [process, *process.children(recursive=True)]
                    for one in family:
                        with contextlib.suppress(psutil.NoSuchProcess):
                            one.kill()
                    psutil.wait_procs(family, END_WITHIN_S)
        self._jobs.put(None)
        self._thread.join(END_WITHIN_S)

    def _run(self) -> None:
        try:
            with sync_playwright() as playwright:
                context = playwright.chromium.launch_persistent_context(
                    self.profile, executable_path=CHROMIUM, args=ARGUMENTS, java_script_enabled=self._scripts
                )
                context.set_default_timeout(PATIENCE_MS)
                self._prepare(context)
                self._started.set_result(None)
                # A browser that was killed is closed already.
                with contextlib.suppress(Error):
                    self._work(context.pages[0])
                    context.close()
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)
        finally:
            self._refuse_the_rest()

    def _work(self, page: Page) -> None:
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                page.wait_for_timeout(PUMP_MS)
                continue
            if job is None:
                return
            work, future = job
            try:
                future.set_result(work(page))
            except BaseException as error:
                future.set_exception(error)

    def _refuse_the_rest(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                job = self._jobs.get_nowait()
                if job is not None:
                    job[1].set_exception(ConnectionError(f"the browser of {self.profile.name} is gone"))
