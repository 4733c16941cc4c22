"""What a page in real Chromium tells a player who looks elsewhere: title, icon, announcements, notifications."""

import re

import pytest
from playwright.sync_api import expect

from tests.live.opened import Enter, Match, bring, cell, headline, press, until

# Nothing here depends on the engine.
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["moto"], indirect=True, scope="session")]


def test_title_and_icon_show_waiting_games(enter: Enter, site: str, match: Match) -> None:
    page = enter(match.url, match.o)
    lobby = page.context.new_page()
    lobby.goto(site)
    expect(page).to_have_title(f"{match.x}'s turn · Tic-Tac-Toe")
    expect(lobby).to_have_title("Your games · Tic-Tac-Toe")
    match.move(4)
    expect(page).to_have_title("(1) Your turn: you play O · Tic-Tac-Toe")
    expect(lobby).to_have_title("(1) Your games · Tic-Tac-Toe")
    for tab in (page, lobby):
        expect(tab.locator("link[rel=icon]")).to_have_attribute("href", re.compile("icon-turn"))
    press(page, 0)
    expect(page).to_have_title(f"{match.x}'s turn · Tic-Tac-Toe")
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("icon.svg"))


def test_each_move_is_announced_once(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.x)
    until(page, "window.said.length > 0")  # Half a second after the page is loaded.
    press(page, 4)
    expect(headline(page)).to_have_text(f"{match.o}'s turn.")
    match.move(0)
    expect(headline(page)).to_have_text("Your turn: you play X.")
    bring(page, in_front=True)  # polls once more
    page.wait_for_timeout(500)
    # On a busy machine the stream may be late enough to be announced as lost.
    said = [sentence for sentence in page.evaluate("window.said") if "onnect" not in sentence]
    assert said == [
        "Your turn: you play X.",
        f"X played centre. {match.o}'s turn.",
        "O played top left. Your turn.",
    ]


def test_player_in_another_tab_gets_sound_and_notification(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.o)
    page.context.grant_permissions(["notifications"])
    sound, notification = page.get_by_role("button", name="Play a sound"), page.get_by_role("button", name="Notify me")
    sound.click()
    notification.click()
    for button in (sound, notification):
        expect(button).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("window.rung") == 2  # a sample, when switched on
    match.move(4)
    expect(headline(page)).to_have_text("Your turn: you play O.")  # in front: no notification
    press(page, 0)
    expect(headline(page)).to_have_text(f"{match.x}'s turn.")
    bring(page, in_front=False)
    match.move(8)
    until(page, "window.notified.length > 0")
    assert page.evaluate("[window.notified, window.rung]") == [["X played bottom right. Your turn."], 4]
    for button in (sound, notification):
        button.click()
        expect(button).to_have_attribute("aria-pressed", "false")
    press(page, 1)
    expect(headline(page)).to_have_text(f"{match.x}'s turn.")
    match.move(2)
    expect(cell(page, 2)).to_have_text("X")
    page.wait_for_timeout(1000)
    assert page.evaluate("[window.notified.length, window.rung]") == [1, 4]


def test_only_one_tab_notifies_and_none_if_one_is_in_front(enter: Enter, site: str, match: Match) -> None:
    page = enter(match.url, match.o)
    page.context.grant_permissions(["notifications"])
    lobby = page.context.new_page()
    lobby.goto(site)
    bring(lobby, in_front=False)
    page.get_by_role("button", name="Notify me").click()
    expect(lobby.get_by_role("button", name="Notify me")).to_have_attribute("aria-pressed", "true")

    def calls() -> int:
        for tab in (page, lobby):
            expect(tab).to_have_title(re.compile(r"\(1\)"))
        page.wait_for_timeout(1000)
        return sum(tab.evaluate("window.notified.length") for tab in (page, lobby))

    match.move(4)
    assert calls() == 0
    press(page, 0)
    bring(page, in_front=False)
    expect(lobby).to_have_title("Your games · Tic-Tac-Toe")
    match.move(8)
    assert calls() == 1


def test_blocked_notifications_are_explained(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.o)
    button = page.get_by_role("button", name="Notify me")
    button.click()
    expect(page.get_by_text("The browser blocks notifications")).to_be_visible()
    expect(button).to_have_attribute("aria-pressed", "false")
