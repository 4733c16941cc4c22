"""The lobby keeps itself up to date in real Chromium, and so do all tabs of a player."""

import re

import pytest
from playwright.sync_api import expect

from tests.live.opened import Enter, Match, bring, cell, cut, line

# Nothing here depends on the engine.
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["moto"], indirect=True, scope="session")]


def test_lobby_updates_and_keeps_focus(enter: Enter, site: str, match: Match) -> None:
    page = enter(site, match.o)
    game = page.locator(f"#game-{match.game.game_id}")
    game.focus()
    marks = game.locator('svg[aria-hidden="true"] [class]')
    expect(marks).to_have_count(0)
    match.move(4)
    expect(page.get_by_text("Your turn", exact=True)).to_be_visible()
    expect(marks).to_have_attribute("d", re.compile("^M5 5"))
    expect(game).to_be_focused()


def test_lobby_polls_without_stream(enter: Enter, site: str, match: Match) -> None:
    page = enter(site, match.o)
    cut(page)
    expect(line(page)).to_have_text("Checking every 5 s")
    match.move(4)
    expect(page.get_by_text("Your turn", exact=True)).to_be_visible()


def test_four_tabs_stream_and_further_ones_poll(enter: Enter, match: Match) -> None:
    tabs = [enter(match.url, match.o)]
    for _ in range(4):
        tabs.append(tabs[0].context.new_page())
        tabs[-1].goto(match.url)
        expect(line(tabs[-1])).to_have_text("Live" if len(tabs) < 5 else re.compile("Checking every"))
    match.move(4)
    for tab in tabs:
        expect(cell(tab, 4)).to_have_text("X")
    tabs[0].close()
    bring(tabs[4], in_front=True)
    expect(line(tabs[4])).to_have_text("Live")


def test_without_web_locks_only_visible_tab_streams(enter: Enter, match: Match) -> None:
    """A page without HTTPS has no locks, and seven tabs with a connection each would block the site."""
    page = enter(match.url, match.o)
    page.context.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined });")
    page.reload()
    expect(line(page)).to_have_text("Live")
    bring(page, in_front=False)
    expect(line(page)).to_have_text(re.compile("Checking every"))
    match.move(4)
    bring(page, in_front=True)
    expect(line(page)).to_have_text("Live")
    expect(cell(page, 4)).to_have_text("X")


def test_logout_in_one_tab_reaches_all_tabs(enter: Enter, site: str, match: Match) -> None:
    page = enter(site, match.x)
    tab = page.context.new_page()
    tab.goto(match.url)
    expect(tab.locator(".board button")).to_have_count(9)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Press a square to begin")).to_be_visible()
    expect(tab.locator(".board button")).to_have_count(0)
    expect(tab.get_by_role("button", name="Log out")).to_have_count(0)
    match.move(4)
    expect(cell(tab, 4)).to_have_text("X")
