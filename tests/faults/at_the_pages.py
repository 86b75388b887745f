"""The people of one case who are at a page in a real Chromium, one for each kind of page where that is asked for."""

from collections.abc import Iterator
from contextlib import ExitStack

from tests.faults.browser_actor import BrowserActor
from tests.faults.legacy_actor import LegacyActor
from tests.faults.lite_actor import LiteActor
from tests.faults.load import Load
from tests.faults.second_tab import SecondTab
from tests.faults.world import World

PageActor = BrowserActor | LiteActor


def people(world: World, load: Load, browsers: int, every_page: bool, ends: ExitStack) -> list[PageActor]:
    """They have joined the room and look at it."""
    actors: list[PageActor] = []
    for actor in _made(world, load, browsers, every_page):
        ends.callback(actor.close)
        actor.open()
        actors.append(actor)
    return actors


def _made(world: World, load: Load, browsers: int, every_page: bool) -> Iterator[PageActor]:
    for number in range(browsers):
        yield BrowserActor(world.history, f"browser-{number}", world.url, f"Browser {number}", load.room)
    if not every_page:
        return
    yield LegacyActor(world.history, "legacy", world.url, "Legacy", load.room)
    yield LiteActor(world.history, "lite", world.url, "Lite", load.room)
    first = BrowserActor(world.history, "tabs", world.url, "Tabs", load.room)
    yield first
    yield SecondTab(first)
