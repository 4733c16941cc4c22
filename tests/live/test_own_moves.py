"""A player's own move in real Chromium: shown at once, kept, sent again, and never made twice."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.live.opened import (
    KEPT,
    ONLY_SHORT_TIMERS,
    STATE,
    Enter,
    Match,
    cell,
    cut,
    headline,
    line,
    lose_the_answer,
    posts,
    press,
    until,
)

# Nothing here depends on the engine.
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["moto"], indirect=True, scope="session")]


def test_own_move_appears_at_once_and_disables_other_squares(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.x)
    held: list[Route] = []
    page.route("**/move/", lambda route: held.append(route))
    press(page, 4)
    expect(cell(page, 4)).to_have_text("X")
    expect(page.locator(".board button:not([aria-disabled='true'])")).to_have_count(1)
    assert match.moves == ""
    held[0].continue_()
    expect(headline(page)).to_have_text(f"{match.o}'s turn.")
    expect(cell(page, 4)).to_have_text("X")


def test_lost_race_is_corrected_and_push_waits_for_move(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.x)
    held: list[Route] = []
    page.route("**/move/", lambda route: held.append(route))
    press(page, 0)
    match.move(8)
    until(page, "window.pushed.includes(11)")
    expect(cell(page, 0)).to_have_text("X")
    expect(cell(page, 8)).to_have_text("")
    held[0].continue_()
    expect(page.locator("#game").get_by_role("alert")).to_contain_text("The game has moved on")
    expect(cell(page, 0)).to_have_text("")
    expect(cell(page, 8)).to_have_text("X")


def test_newer_push_during_move_is_shown_after_it(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.x)
    held: list[Route] = []
    page.route("**/move/", lambda route: held.append(route))
    press(page, 0)
    expect(cell(page, 0)).to_have_text("X")
    answer = held[0].fetch()  # The move is made; its response is still pending when the opponent's reply is pushed.
    match.move(8)
    until(page, "window.pushed.includes(12)")
    expect(cell(page, 8)).to_have_text("")
    held[0].fulfill(response=answer)
    expect(cell(page, 8)).to_have_text("O")
    expect(headline(page)).to_have_text("Your turn: you play X.")


def test_refused_move_is_undone(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.x)
    page.context.clear_cookies()
    press(page, 4)
    expect(page.get_by_role("alert").first).to_contain_text("allow cookies")
    expect(page.locator(".board button:not([aria-disabled='true'])")).to_have_count(9)
    expect(cell(page, 4)).to_have_text("")


def test_move_with_lost_reply_is_confirmed_by_push(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.x)
    sent = posts(page)
    page.route("**/move/", lose_the_answer)
    press(page, 4)
    expect(headline(page)).to_have_text(f"{match.o}'s turn.")
    assert page.evaluate(KEPT) == []  # No move is kept for sending again.
    assert len(sent) == 1


def test_retry_after_lost_reply_is_not_a_second_move(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.x)
    cut(page)
    page.route(STATE, lambda route: route.abort())
    sent = posts(page)
    page.route("**/move/", lose_the_answer, times=1)
    press(page, 4)
    expect(headline(page)).to_have_text(f"{match.o}'s turn.")
    expect(page.locator(".alert:visible")).to_have_count(0)
    assert (len(sent), match.moves) == (2, "4")


def test_offline_move_is_kept_and_sent_once(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.x)
    page.context.set_offline(True)
    expect(line(page)).to_have_text(re.compile(r"Offline: last checked \d+ s ago"))
    press(page, 4)
    expect(line(page)).to_have_text("Offline: your move is kept and goes out by itself")
    expect(cell(page, 4)).to_have_text("X")
    answered: list[int] = []
    page.on("response", lambda answer: answered.append(answer.status) if "/move/" in answer.url else None)
    page.context.set_offline(False)
    expect(headline(page)).to_have_text(f"{match.o}'s turn.")
    expect(line(page)).to_have_text("Live")
    assert (answered, match.moves) == ([200], "4")


def test_hanging_move_is_resent_when_back_online(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.x)
    page.evaluate(ONLY_SHORT_TIMERS)  # It would be given up after 10 s.
    page.route("**/move/", lambda route: None, times=1)
    press(page, 4)
    expect(cell(page, 4)).to_have_text("X")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(headline(page)).to_have_text(f"{match.o}'s turn.")
    assert match.moves == "4"


def test_kept_move_survives_reload(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.x)
    page.route("**/move/", lambda route: route.abort())
    press(page, 4)
    expect(line(page)).to_have_text("Not sent yet: your move is kept and goes out by itself")
    page.unroute("**/move/")
    page.goto("about:blank")
    page.goto(match.url)
    expect(headline(page)).to_have_text(f"{match.o}'s turn.")
    assert match.moves == "4"


def test_kept_move_is_dropped_when_game_has_moved_on(enter: Enter, match: Match) -> None:
    page = enter(match.url, match.x)
    page.route("**/move/", lambda route: route.abort())
    press(page, 4)
    expect(line(page)).to_contain_text("your move is kept")
    page.goto("about:blank")
    match.move(8)
    match.move(0)
    sent = posts(page)
    page.goto(match.url)
    expect(cell(page, 8)).to_have_text("X")
    expect(page.locator(".board button:not([aria-disabled='true'])")).to_have_count(7)
    assert sent == []
    # If it happens while the page is open, the page says so.
    press(page, 4)
    expect(line(page)).to_contain_text("your move is kept")
    match.move(1)
    expect(page.locator("#message")).to_contain_text("was not made")
    assert match.moves == "801"
