"""Using the site by other means than clicks: keyboard, back and forward, tabs, bad networks, no JavaScript."""

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from games import rules
from games.match import StoredMatch
from games.storage import store
from tests.conftest import stored
from tests.support.engines import free_port
from tests.support.sites import playing
from tests.support.stages import game_after, move
from tests.three_engines.conftest import Open
from tests.three_engines.drivers import NAMES
from tests.three_engines.people import Person

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("engine", ["moto"], indirect=True, scope="session"),
    pytest.mark.parametrize("name", NAMES),
]


STEAL = "navigator.locks.request(arguments[0], { steal: true }, () => {}).then(arguments[1])"


@pytest.fixture
def game(site: str) -> StoredMatch:
    return game_after("")


def enter(person: Person, game: StoredMatch) -> None:
    """Open the game's page as bob, who is X, and wait until it is live."""
    person.become("bob")
    person.visit(f"/games/{game.game_id}/")
    if person.browser.javascript:
        person.find('#connection[data-kind="live"]')


def square(number: int) -> str:
    """Return the selector of a playable square's button."""
    return f'button[value="{rules.SQUARES[number]}"]'


def test_board_is_one_tab_stop_with_arrow_keys(at: Open, game: StoredMatch, name: str) -> None:
    person = at(name)
    enter(person, game)
    assert person.count('[role="grid"] > tbody > [role="row"] > [role="gridcell"]') == 9
    for _ in range(12):
        if person.focused is None:
            person.keys(Keys.TAB)
    assert person.focused == 0
    for key, place in {Keys.ARROW_RIGHT: 1, Keys.ARROW_DOWN: 4, Keys.HOME: 3, Keys.END: 5}.items():
        person.keys(key)
        assert person.focused == place
    person.keys(Keys.TAB)
    assert person.focused is None
    ActionChains(person.driver).key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT).perform()
    assert person.focused == 5


def test_focus_stays_on_square_after_either_players_move(at: Open, game: StoredMatch, name: str) -> None:
    person = at(name)
    enter(person, game)
    person.run("document.querySelector(arguments[0]).focus()", square(4))
    person.keys(Keys.ENTER)
    person.shows("----X----")
    person.until(lambda: person.focused == 4, "the focus in the square")
    # In WebKit nothing matches :focus while another window has the focus.
    on_the_cell = "return document.activeElement.matches('td[aria-disabled=\"true\"]')"
    person.until(lambda: person.run(on_the_cell), "the focus on the square that was a button")
    person.keys(Keys.ARROW_UP)
    move(game, 1)
    person.shows("-O--X----")
    person.until(lambda: person.focused == 1, "the focus in the square that was taken")
    person.keys(Keys.ARROW_LEFT, Keys.SPACE)
    person.shows("XO--X----")
    assert stored(game.game_id).recorded_moves == "410"


def test_back_and_forward_show_current_game(at: Open, game: StoredMatch, name: str) -> None:
    person = at(name)
    enter(person, game)
    person.press(4)
    person.click("#home")
    person.find("#lobby")
    move(game, 0)
    person.driver.back()
    person.shows("O---X----")
    person.press(8)
    person.driver.forward()
    person.find("#lobby")
    move(game, 2)
    person.driver.back()
    person.shows("O-O-X---X")
    person.press(1)
    assert stored(game.game_id).recorded_moves == "40821"


def test_times_say_in_a_tooltip_what_they_are_here(at: Open, game: StoredMatch, name: str) -> None:
    person = at(name)
    person.become("bob")
    store.resign(game, player="bob")
    for path in ("/", "/players/bob/"):
        person.visit(path)
        ActionChains(person.driver).move_to_element(person.find("time")).perform()
        local = "new Date(arguments[0]).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })"
        shown = person.run(f"return {local}", person.find("time").get_attribute("datetime"))
        person.find(f'time[title="{shown}"]')


def test_second_tab_follows_game_and_logout(at: Open, game: StoredMatch, name: str) -> None:
    person = at(name)
    enter(person, game)
    first = person.driver.current_window_handle
    person.driver.switch_to.new_window("tab")
    person.visit(f"/games/{game.game_id}/")
    person.press(4)
    second = person.driver.current_window_handle
    person.driver.switch_to.window(first)
    person.shows("----X----")
    move(game, 0)
    person.shows("O---X----")
    person.click("header form button")  # logs out
    person.driver.switch_to.window(second)
    person.until(lambda: not person.count("[data-player=bob]"), "the tab of somebody who has logged out")
    person.until(lambda: person.board == "O---X----" and not person.count(".board button"), "a board to look at")


def test_lost_lock_causes_no_uncaught_error(at: Open, game: StoredMatch, name: str) -> None:
    """A browser rejects a lock request late, when another page steals the lock or when the page is left."""
    person = at(name)
    enter(person, game)
    for place in range(1, 5):
        person.driver.execute_async_script(STEAL, f"stream {place}")
    person.run("setTimeout(() => window.reportError(new Error('the last one')))")
    errors = person.until(person.browser.errors, "the error that comes last")
    assert [error for error in errors if "the last one" not in error] == []


def test_move_during_outage_is_kept_and_sent_afterwards(at: Open, engine: str, game: StoredMatch, name: str) -> None:
    port = str(free_port())
    with playing("--endpoint", engine, "--port", port) as (address, _):
        person = at(name, address=address.rstrip("/"))
        enter(person, game)
    person.click(square(4))
    person.find("#game form.kept")
    person.until(lambda: person.count('#connection:not([data-kind="live"])'), "word of the lost connection")
    person.click(square(0))  # does nothing: a move is pending
    assert stored(game.game_id).match().moves == ""
    with playing("--endpoint", engine, "--port", port):
        person.shows("----X----")
        person.find('#connection[data-kind="live"]')
        move(game, 0)
        person.shows("O---X----")
    assert stored(game.game_id).recorded_moves == "40"


def test_game_and_rematch_without_javascript(at: Open, game: StoredMatch, name: str) -> None:
    person = at(name, javascript=False)
    enter(person, game)
    for square_of_x, square_of_o in ((4, 0), (2, 1)):
        person.press(square_of_x)
        move(game, square_of_o)
        person.click("noscript a")
        person.find(square(6))
    person.press(6)
    person.ended("won")
    person.click("#rematch")
    person.until(lambda: person.game_id != game.game_id and person.count("#cancel"), "an invitation to a rematch")
    assert stored(person.game_id).match().opponent == "alice"


def test_signup_and_invitation_without_javascript(at: Open, name: str) -> None:
    person = at(name, javascript=False)
    person.sign_up(f"plain-{name}".lower())
    person.invite("alice")
    assert stored(person.game_id).match().opponent == "alice"
