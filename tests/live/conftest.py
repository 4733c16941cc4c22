"""Fixtures for the live tests, some shared with the reliability tests."""

import re
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from games.storage import store
from tests.live.opened import EVENTS, INSTRUMENTS, Match, line
from tests.reliability.conftest import proxy as proxy
from tests.support import crowd
from tests.support.sites import playing
from tests.support.stages import log_in


@pytest.fixture(scope="module")
def running(engine: str) -> Iterator[str]:
    """Yield the address of a site that serves pages and streams, on the engine's table."""
    with playing("--endpoint", engine) as (address, _):
        yield address.rstrip("/")


@pytest.fixture
def watchers() -> Iterator[crowd.Handle]:
    with crowd.gathered() as handle:
        yield handle


@pytest.fixture
def site(running: str) -> str:
    return running


@pytest.fixture
def match(site: str, games_table: str) -> Match:
    x, o = f"bob-{uuid4().hex[:6]}", f"alice-{uuid4().hex[:6]}"
    game = store.invite(host=o, opponent=x)
    return Match(store.accept(game.game_id, player=x), f"{site}/games/{game.game_id}/", x, o)


@pytest.fixture
def enter(open_browser: Callable[..., Page]) -> Callable[..., Page]:
    """Return a function that opens the page in a new browser, logged in if a player is named, and waits for "Live".

    If events are ``held`` on their way, as by a proxy that waits for the end of the stream, it waits for polls.
    """

    def opened(url: str, player: str = "", *, held: bool = False) -> Page:
        page = open_browser()
        if held:
            page.route(EVENTS, lambda route: None)
        page.context.add_init_script(INSTRUMENTS)
        if player:
            log_in(page.context, player, "/".join(url.split("/")[:3]))
        page.goto(url)
        expect(line(page)).to_have_text(re.compile("^Checking every") if held else "Live")
        return page

    return opened
