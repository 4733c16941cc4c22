"""A site with every page in every state, a browser with reduced motion, and games as their players see them."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from games.match import StoredMatch
from tests.accessibility.boards import Open
from tests.conftest import empty_table, use
from tests.support.browsers import PATIENCE_MS, Chromium
from tests.support.sites import playing
from tests.support.stages import Stage, game_after, log_in, stages


@pytest.fixture(scope="module")
def site(engine: str) -> Iterator[str]:
    use(engine)
    with playing("--endpoint", engine) as (address, _):
        yield address.rstrip("/")
    empty_table()


@pytest.fixture(scope="module")
def all_stages(site: str) -> dict[str, Stage]:
    return stages()


@pytest.fixture
def context(chromium: Chromium) -> Iterator[BrowserContext]:
    """Yield a new context with reduced motion, so that pages stand still; check for script errors at the end."""
    errors: list[str] = []
    with chromium.context(reduced_motion="reduce") as context:
        context.set_default_timeout(PATIENCE_MS)
        context.on("weberror", lambda found: errors.append(str(found.error)))
        yield context
    assert errors == []


@pytest.fixture
def game(site: str) -> StoredMatch:
    return game_after("")


@pytest.fixture
def enter(site: str, context: BrowserContext) -> Open:
    """Return a function that opens a game's page as a player and waits for "Live"."""

    def opened(game: StoredMatch, player: str) -> Page:
        log_in(context, player, site)
        page = context.new_page()
        page.goto(f"{site}/games/{game.game_id}/")
        expect(page.locator("#connection")).to_have_text("Live")
        return page

    return opened
