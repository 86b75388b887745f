"""A coroutine in a thread of its own: Playwright, once a test has used it, has its loop running in the main one."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from typing import TypeVar

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    with ThreadPoolExecutor(1) as other:
        return other.submit(asyncio.run, work).result()
