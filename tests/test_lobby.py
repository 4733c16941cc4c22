"""The lobby: which games are in which list, in which order, and how far back it goes."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from dynamodb.client import shared_client
from games.match import Entry, Status, StoredMatch
from games.models import SQUARE_FIELDS, Game
from games.pages.lobby import LobbyPage
from games.storage import lobby as lobbies
from games.storage import store
from games.storage.indexes import FIRST_READ, Cursor
from games.storage.lobby import Lobby
from tests.conftest import stored
from tests.support.many import game_of
from tests.support.pages import HTMX, JSON, unmarked

START = datetime(2026, 1, 1, tzinfo=UTC)
# Alternate: alice as host, alice as opponent.
HOSTED = (("alice", "bob"), ("bob", "alice"))


def make(status: Status, minutes: int, host: str = "alice", opponent: str | None = "bob", **attributes: Any) -> Game:
    """Store a game whose status began that many minutes after START."""
    attributes = {"result": opponent if status is Status.FINISHED else None} | attributes
    game = game_of(status, minutes * 60, host, opponent, **attributes)
    game.save(Game.game_id.does_not_exist())
    return game


def ids(games: Iterable[Entry | Game]) -> list[str]:
    return [game.game_id for game in games]


def test_empty_lobby_points_to_create(alice: Client) -> None:
    page = alice.get("/").content.decode()
    assert "No games yet" in page
    assert "Create game" in page


def test_each_game_is_in_its_list(alice: Client) -> None:
    invited = make(Status.PENDING, 1, host="bob", opponent="alice")
    waiting = make(Status.PENDING, 2)
    opened = make(Status.PENDING, 3, opponent=None)
    playing = make(Status.IN_PROGRESS, 4)
    finished = make(Status.FINISHED, 5)
    make(Status.PENDING, 6, host="charlie", opponent="bob")
    lists = alice.get("/", headers=JSON).json()
    assert {name: [game["gameId"] for game in games] for name, games in lists.items() if isinstance(games, list)} == {
        "invitations": [invited.game_id],
        "waiting": [opened.game_id, waiting.game_id],
        "playing": [playing.game_id],
        "finished": [finished.game_id],
        "damaged": [],
    }
    page = alice.get("/").content.decode()
    for game in (invited, waiting, opened, playing, finished):
        assert f'href="/games/{game.game_id}/"' in page


@pytest.mark.usefixtures("games_table")
@pytest.mark.parametrize("status", [Status.IN_PROGRESS, Status.FINISHED])
def test_games_of_both_indexes_merge_newest_first(status: Status) -> None:
    hosted = [make(status, minute) for minute in (1, 3, 5)]
    invited = [make(status, minute, host="bob", opponent="alice") for minute in (2, 4, 6)]
    expected = [invited[2], hosted[2], invited[1], hosted[1], invited[0], hosted[0]]
    lobby = lobbies.newest("alice", now())
    assert ids([*lobby.playing, *lobby.finished]) == ids(expected)


@pytest.mark.usefixtures("games_table")
def test_sent_and_received_invitations_are_newest_first() -> None:
    made = [make(Status.PENDING, minute, *HOSTED[minute % 2]) for minute in range(6)]
    lobby = lobbies.newest("alice", now())
    assert (ids(lobby.received), ids(lobby.sent)) == (ids(made[5::-2]), ids(made[4::-2]))


@pytest.mark.usefixtures("games_table")
def test_decided_game_not_yet_marked_finished_is_listed_as_finished() -> None:
    oldest, newest = make(Status.FINISHED, 1), make(Status.FINISHED, 5)
    decided = make(
        Status.IN_PROGRESS, 3, top_left="X", top_middle="X", top_right="X", middle_left="O", middle_middle="O"
    )
    playing = make(Status.IN_PROGRESS, 2)
    lobby = lobbies.newest("alice", now())
    assert ids(lobby.playing) == [playing.game_id]
    assert ids(lobby.finished) == ids([newest, decided, oldest])


def test_games_in_progress_are_a_queue(alice: Client) -> None:
    hurry = int(now().timestamp())
    theirs = make(Status.IN_PROGRESS, 2)
    waits_less, waits_long = (make(Status.IN_PROGRESS, n, host="bob", opponent="alice") for n in (4, 1))
    late, soon = (
        make(Status.IN_PROGRESS, 5, host="bob", opponent="alice", pace=300, deadline=hurry + left) for left in (900, 90)
    )
    page = unmarked(alice.get("/"))
    queue = [soon, late, waits_long, waits_less, theirs]
    assert [page.index(f'id="game-{game.game_id}"') for game in queue] == sorted(
        page.index(f'id="game-{game.game_id}"') for game in queue
    )
    assert page.count('class="mine"') == 4
    assert page.index("<small>Your turn") < page.index("bob's turn")


def test_longest_turn_comes_first_and_says_how_long_it_lasts(alice: Client) -> None:
    seconds = now().timestamp()
    waits = {minutes: seconds - 60 * minutes for minutes in (0, 130, 3_000)}
    turn: dict[str, Any] = {"turn": "alice", "top_left": "X"}
    games = [make(Status.IN_PROGRESS, minutes, **turn, moved_at=waits[minutes]) for minutes in waits]
    make(Status.IN_PROGRESS, 9, host="bob", opponent="alice", top_left="X", turn="bob", moved_at=waits[130])
    page = unmarked(alice.get("/")).replace("\xa0", " ")
    places = [page.index(f'id="game-{game.game_id}"') for game in games]
    assert places == sorted(places, reverse=True)
    turns = re.findall(r"<small>(.*)</small>", re.sub("</?time[^>]*>", "", page))
    assert turns == ["Your turn for 2 days", "Your turn for 2 hours", "Your turn", "bob's turn for 2 hours"]


def test_drawn_board_has_every_mark_in_300_bytes(alice: Client) -> None:
    marks: dict[str, Any] = dict(zip(SQUARE_FIELDS, [None, "O", "X", None, "X", "X", "O", "X", "O"], strict=True))
    make(Status.IN_PROGRESS, 1, **marks, turn="alice")
    make(Status.IN_PROGRESS, 2)
    full, empty = re.findall("<svg.*?</svg>", alice.get("/").content.decode())
    assert re.findall(r'class="mark-(.)" d="(.*?)"', full) == [
        ("X", "".join(f"M{square}l2 2m-2 0 2-2" for square in ("9 1", "5 5", "9 5", "5 9"))),
        ("O", "".join(f"M{square}a1 1 0 1 1 0 .1z" for square in ("5 2", "1 10", "9 10"))),
    ]
    assert len(full) < 300 - len("M1 6a1 1 0 1 1 0 .1z")  # With eight marks the game goes on still.
    assert "mark" not in empty


def test_lobby_has_another_version_when_only_a_board_changes() -> None:
    game = game_of(Status.IN_PROGRESS, 0, "alice", None, computer="good", turn="computer").match()
    versions = {
        LobbyPage(Lobby(playing=[replace(game, board=board)]), "alice", now()).version
        for board in (" " * 9, "XO       ", " OX      ")
    }
    assert len(versions) == 3


@pytest.mark.usefixtures("games_table")
def test_thirty_invitations_each_way_hide_no_games() -> None:
    made = {
        status: [make(status, minute, *HOSTED[minute % 2]) for minute in range(count)]
        for status, count in ((Status.FINISHED, 9), (Status.IN_PROGRESS, 5), (Status.PENDING, 60))
    }
    lobby = lobbies.newest("alice", now())
    assert ids(lobby.received) == ids(made[Status.PENDING][::-2])
    assert ids(lobby.sent) == ids(made[Status.PENDING][-2::-2])
    assert ids(lobby.playing) == ids(made[Status.IN_PROGRESS][::-1])
    assert ids(lobby.finished) == ids(made[Status.FINISHED][::-1])


@pytest.mark.usefixtures("games_table")
def test_paging_reaches_every_finished_game_with_equal_timestamps() -> None:
    made = [make(Status.FINISHED, number // 3, *HOSTED[number % 2]) for number in range(64)]
    lobby = lobbies.newest("alice", now())
    seen, older = ids(lobby.finished), lobby.older
    while older:
        page = lobbies.page("alice", now(), before=older)
        seen, older = seen + ids(page.finished), page.older
    assert len(seen) == len(set(seen))
    assert set(seen) == set(ids(made))


@pytest.mark.usefixtures("games_table")
def test_pages_on_both_sides_of_a_cursor_have_games_of_the_same_moment() -> None:
    made = [make(Status.FINISHED, 0, status_date="FINISHED_2026-12-31 23:59:59.999999") for _ in range(3)]
    oldest, middle, newest = sorted(made, key=lambda game: game.game_id)
    later = make(Status.FINISHED, 0, status_date="FINISHED_2027-01-01 00:00:00.000000")
    cursor = Cursor.of(middle.entry()).text
    assert ids(lobbies.page("alice", now(), before=cursor).finished) == [oldest.game_id]
    assert ids(lobbies.page("alice", now(), after=cursor).finished) == [later.game_id, newest.game_id]
    since, _ = lobbies.finished_since("alice", Cursor.of(middle.entry()), most=9)
    assert ids(since) == [newest.game_id, later.game_id]


@pytest.mark.usefixtures("games_table")
@pytest.mark.parametrize("minutes_apart", [0, 1])
def test_paging_reaches_every_game_of_a_single_index(minutes_apart: int) -> None:
    made = [make(Status.FINISHED, number * minutes_apart) for number in range(50)]
    for player in ("alice", "bob"):
        lobby = lobbies.newest(player, now())
        seen, older = ids(lobby.finished), lobby.older
        while older:
            page = lobbies.page(player, now(), before=older)
            seen, older = seen + ids(page.finished), page.older
        assert sorted(seen) == sorted(ids(made))


def test_wrongly_typed_items_are_409_and_hide_no_games(alice: Client) -> None:
    sound = make(Status.IN_PROGRESS, 1)
    for attribute, value in (
        ("Turn", {"N": "3"}),
        ("TopLeft", {"N": "1"}),
        ("ExpiresAt", {"S": "x"}),
        ("Moves", {"L": []}),
    ):
        broken = make(Status.IN_PROGRESS, 2)
        shared_client().update_item(
            TableName="Games",
            Key={"GameId": {"S": broken.game_id}},
            UpdateExpression="SET #a = :v",
            ExpressionAttributeNames={"#a": attribute},
            ExpressionAttributeValues={":v": value},
        )
        url = f"/games/{broken.game_id}/"
        assert alice.get(url).status_code == 409
        for action in ("accept", "cancel", "decline", "move"):
            assert alice.post(f"{url}{action}/", {"square": "TopLeft"}).status_code in (403, 409)
    page = alice.get("/")
    assert page.status_code == 200
    assert sound.game_id in page.content.decode()


def test_older_games_page_links_back_to_lobby(alice: Client) -> None:
    games = [make(Status.FINISHED, minute) for minute in range(12)]
    page = alice.get("/").content.decode()
    assert games[0].game_id not in page
    link = page.split('href="/?before=')[1].split('"')[0]
    older = alice.get(f"/?before={link}").content.decode()
    assert games[0].game_id in older
    assert games[11].game_id not in older
    assert "Back to your games" in older


@pytest.mark.parametrize(
    "place",
    [
        "x",
        "FINISHED_",
        "PENDING_2026-01-01 00:00:00.0~" + "0" * 36,
        "'",
        "\x00",
        "é",
        "é" * 513 + "~" + "00000000-0000-0000-0000-000000000000",
    ],
)
@pytest.mark.parametrize("way", ["before", "after"])
def test_invalid_cursor_is_400(alice: Client, way: str, place: str) -> None:
    answer = alice.get("/", {way: place})
    assert answer.status_code == 400
    assert "no place in your list" in answer.content.decode()


@pytest.mark.usefixtures("games_table")
def test_expired_invitations_are_hidden_before_ttl_deletes_them() -> None:
    make(Status.PENDING, 1, expires_at=int(datetime.now(UTC).timestamp()) - 1)
    kept = make(Status.PENDING, 2, expires_at=int(datetime.now(UTC).timestamp()) + 60)
    assert ids(lobbies.newest("alice", now()).sent) == [kept.game_id]


def test_computer_game_is_listed_as_computer(alice: Client) -> None:
    game = store.challenge_computer(host="alice")
    assert stored(game.game_id).opponent_id is None
    assert "vs. <b>computer</b>" in unmarked(alice.get("/"))


def test_items_with_impossible_values_hide_no_games(alice: Client) -> None:
    make(Status.IN_PROGRESS, 2, top_left="O", bottom_right="O")
    make(Status.IN_PROGRESS, 3).update([Game.status_date.set("NONSENSE_2026-01-01 00:00:00.000000")])
    sound = make(Status.IN_PROGRESS, 1)
    page = alice.get("/")
    assert page.status_code == 200
    assert sound.game_id in page.content.decode()


def test_wrongly_typed_game_is_shown_as_damaged_and_others_show_turn(alice: Client) -> None:
    damaged, sound = make(Status.IN_PROGRESS, 2), make(Status.IN_PROGRESS, 1, top_left="X", turn="alice")
    Game(damaged.game_id).update([Game.turn.set("alice")])
    key, deadline = {"GameId": {"S": damaged.game_id}}, {":soon": {"S": "soon"}}
    update = {"UpdateExpression": "SET Deadline = :soon", "ExpressionAttributeValues": deadline}
    shared_client().update_item(TableName=Game.Meta.table_name, Key=key, **update)
    page = alice.get("/").content.decode()
    assert page.index("Damaged games") < page.index(damaged.game_id)
    assert page.count(">Your turn") == 1
    assert sound.game_id in page
    assert alice.get(f"/games/{damaged.game_id}/").status_code == 409


def test_unreadable_game_is_409_with_message(alice: Client) -> None:
    broken = make(Status.IN_PROGRESS, 2, top_left="O", bottom_right="O")
    for url in (f"/games/{broken.game_id}/", f"/games/{broken.game_id}/state/"):
        answer = alice.get(url)
        assert answer.status_code == 409
        assert "stored board" in answer.content.decode()


def test_fragment_contains_only_the_lists(alice: Client) -> None:
    fragment = alice.get("/", headers=HTMX).content.decode()
    assert fragment.startswith('<div id="lobby"')
    assert "<html" not in fragment


@pytest.mark.usefixtures("games_table")
def test_older_cursor_follows_last_game_shown_when_one_is_added() -> None:
    count = lobbies.FINISHED_IN_LOBBY
    won = {"top_left": "X", "middle_left": "O", "top_middle": "X", "middle_middle": "O", "top_right": "X"}
    unsettled = make(Status.IN_PROGRESS, 1, **won).match()
    finished = [make(Status.FINISHED, minute).match() for minute in (0, *range(2, count))]
    lobby = Lobby(finished=[*finished[:0:-1], unsettled, finished[0]])
    after = lobbies.with_game(lobby, "alice", make(Status.FINISHED, count).match(), now())
    assert len(after.finished) == count
    assert after.older
    listed = {*ids(after.finished), *ids(lobbies.page("alice", now(), before=after.older).finished)}
    assert listed == {*ids(finished), *ids(after.finished)}
    assert finished[1].game_id not in ids(lobbies.page("alice", now(), before=after.older).finished)


# The lobby without a read.


def over(number: int, start: int = 0) -> list[StoredMatch]:
    """Return finished games, unstored, newest first."""
    games = [game_of(Status.FINISHED, second, *HOSTED[second % 2]).match() for second in range(start, start + number)]
    return games[::-1]


def test_withdrawn_invitation_leaves_the_others() -> None:
    first, gone, last = (replace(game, game_id=game_id) for game, game_id in zip(over(3), "abc", strict=True))
    lobby = Lobby(received=[first, gone, last], sent=[last, gone, first])
    assert lobbies.without_game(lobby, "b") == Lobby(received=[first, last], sent=[last, first])


def test_tied_game_leaves_the_games_in_progress() -> None:
    tied = replace(game_of(Status.FINISHED, 9, "alice", "bob", result="Tie").match(), board="XOXXOOOXX")
    running = replace(tied, stored_status=Status.IN_PROGRESS, board="XOXXOOOX ", stored_result=None)
    after = lobbies.with_game(Lobby(playing=[running]), "alice", tied, now())
    assert (after.playing, after.finished) == ([], [tied])
    assert lobbies.with_game(after, "alice", running, now()) == after


@pytest.mark.parametrize(("most", "finished", "number"), [(2, 9, 3), (1, 9, 3), (9, 2, 3), (9, 3, 6), (9, 9, 6)])
def test_index_is_read_until_a_page_is_full_and_the_date_changes(most: int, finished: int, number: int) -> None:
    games = [game_of(Status.FINISHED, second, "alice", "bob").match() for second in (5, 5, 4, 4, 4, 3)]
    assert [*lobbies._until_full(iter(games), finished, most=most)] == games[:number]


@pytest.mark.parametrize(
    ("known", "kept"),
    [
        (0, 1),
        (3, 4),
        (lobbies.FINISHED_IN_LOBBY - 1, lobbies.FINISHED_IN_LOBBY),
        (lobbies.FINISHED_IN_LOBBY, lobbies.FINISHED_IN_LOBBY),
        (lobbies.FINISHED_ON_A_PAGE, lobbies.FINISHED_ON_A_PAGE),
    ],
)
@pytest.mark.parametrize("older", [None, "older"])
def test_lobby_keeps_ten_finished_games_or_a_whole_page(known: int, kept: int, older: str | None) -> None:
    (game,) = over(1, start=100)
    before = Lobby(playing=[replace(game, stored_status=Status.IN_PROGRESS)], finished=[*over(known)], older=older)
    after = lobbies.with_game(before, "alice", game, now())
    assert after.playing == []
    assert after.finished == [game, *before.finished][:kept]
    assert after.older == (older if kept > known else Cursor.of(after.finished[-1]).text)


@pytest.mark.parametrize(
    ("invitations", "playing", "finished", "reads"),
    [
        (0, 0, 0, 2),
        (0, 3, 10, 5),
        (12, 0, 10, 2),
        (13, 0, 10, 3),
        (9, 4, 10, 7),
        (0, 23, 0, 26),
        (34, 0, 10, 3),
        (35, 0, 10, 4),
        (178, 2, 20, 12),
    ],
)
def test_lobby_costs_a_read_per_index_and_board_and_22_further_entries(
    invitations: int, playing: int, finished: int, reads: int
) -> None:
    """In half read units: one of 4 KB has room for 22 index entries of 184 bytes."""
    assert (lobbies.LONGEST_ENTRY, lobbies.READ_BYTES, FIRST_READ) == (184, 4096, 22)
    games = over(max(invitations, playing, finished))
    lobby = Lobby(
        received=[*games[: invitations // 2]],
        sent=[*games[: invitations - invitations // 2]],
        playing=games[:playing],
        finished=[*games[:finished]],
    )
    assert lobbies.reads_of(lobby) == reads


def test_lobby_takes_a_renamed_opponent_in_the_same_position_but_no_older_state() -> None:
    game = game_of(Status.IN_PROGRESS, 0, "alice", "guest-aaaaaa", top_left="X", turn="alice").match()
    renamed = replace(game, opponent_id="dora")
    lobby = lobbies.with_game(Lobby(playing=[game]), "alice", renamed, now())
    assert lobby.playing == [renamed]
    for older in (replace(game, board=" " * 9), replace(game, stored_status=Status.PENDING)):
        assert lobbies.with_game(lobby, "alice", older, now()) == lobby


def test_ended_game_leaves_the_reads_of_a_lobby() -> None:
    (game,) = over(1)
    lobby = Lobby(playing=[replace(game, stored_status=Status.IN_PROGRESS)])
    assert lobbies.reads_of(lobby) - lobbies.reads_of(lobbies.with_game(lobby, "alice", game, now())) == 1


def test_games_in_progress_without_a_board_cost_a_read_all_the_same() -> None:
    running, over_now = (
        replace(game_of(status, 0, "alice", "bob").entry(), is_damaged=True)
        for status in (Status.IN_PROGRESS, Status.FINISHED)
    )
    assert lobbies.reads_of(Lobby(unread=[running], damaged=[running, running, over_now])) == 2 + 3


def test_unread_game_gets_its_board_from_a_hint() -> None:
    item = game_of(Status.IN_PROGRESS, 0, "alice", "bob")
    lobby = lobbies.with_game(Lobby(unread=[item.entry()]), "alice", item.match(), now())
    assert (lobby.unread, lobby.playing) == ([], [item.match()])


@pytest.mark.parametrize("game_id", ["0", "g"])
def test_game_is_compared_with_itself_alone(game_id: str) -> None:
    """The other game is further along, whether its id comes before or after."""
    game = replace(game_of(Status.IN_PROGRESS, 0, "alice", "bob").match(), game_id=game_id)
    other = game_of(Status.IN_PROGRESS, 1, "alice", "bob", top_left="X", turn="alice").match()
    assert game in lobbies.with_game(Lobby(playing=[other]), "alice", game, now()).playing
