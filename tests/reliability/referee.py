"""Play whole games in which every transition is contested, and judge each contest."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from random import Random

from games import rules
from games.errors import NotFound
from games.match import Match, Status, StoredMatch
from games.models import Game
from games.rules import Mark, Outcome, Position
from tests.conftest import stored
from tests.reliability.contests import Act, Arena, Seen, Told, overlapped


class Kind(StrEnum):
    TABS = "two squares by one player"
    BOTH = "both players at once"
    TWICE = "the same square twice"
    WINNING = "the winning square"
    CANCEL = "accept against cancel"
    AGAIN = "accept twice"
    DECLINE = "accept against decline"
    LINK = "a link opened by two"


# The same player's same act twice: both succeed, but it is done once. In other kinds exactly one act succeeds.
REPEATS = (Kind.TWICE, Kind.AGAIN)


@dataclass
class Referee:
    """Plays in the arena, counts contested positions by kind, and judges each."""

    arena: Arena
    random: Random
    counted: Counter[Kind] = field(default_factory=Counter)
    first_won: Counter[bool] = field(default_factory=Counter)
    overlaps: int = 0

    @property
    def total(self) -> int:
        return self.counted.total()

    @property
    def figures(self) -> str:
        kinds = ", ".join(f"{kind} {self.counted[kind]:,}" for kind in Kind)
        return f"{self.total:,} contested positions ({kinds}); all acts under way at once in {self.overlaps:,}"

    def play(self, host: str, invited: str, other: str) -> None:
        """Play one game from invitation to end, contesting every transition."""
        tabs: dict[int, Seen] = {}  # The game as shown, by number of moves.
        while not tabs:
            self._contest_invitation(tabs, host, invited, other)
        while tabs[max(tabs)].status != Status.FINISHED:
            self._contest_move(tabs)

    def _contest_invitation(self, tabs: dict[int, Seen], host: str, invited: str, other: str) -> None:
        # There are about ten moves per invitation: taking turns covers every kind even in a short run.
        kind = min((Kind.CANCEL, Kind.AGAIN, Kind.DECLINE, Kind.LINK), key=self.counted.__getitem__)
        invitation = self.arena.invite(host, None if kind is Kind.LINK else invited)
        accepting = self._accepting(invitation, invited)
        against = {
            Kind.CANCEL: Act("cancel", host, invitation.game_id),
            Kind.DECLINE: Act("decline", invited, invitation.game_id),
            Kind.AGAIN: Act("accept", invited, invitation.game_id),
            Kind.LINK: self._accepting(invitation, other),
        }
        if self._hold(kind, invitation, [accepting, against[kind]], tabs):
            tabs.setdefault(0, invitation)

    def _accepting(self, invitation: Seen, player: str) -> Act:
        """Return an accept, or a first move, which accepts as well."""
        accept = Act("accept", player, invitation.game_id)
        return self.random.choice([accept, _move(invitation, player, self.random.randrange(9))])

    def _contest_move(self, tabs: dict[int, Seen]) -> None:
        now = tabs[max(tabs)]
        squares = self.random.sample(Position(now.board).empty_squares, now.board.count(rules.EMPTY))
        winning = [square for square in squares if (ending := _ending(now.board, square)) and ending.winner]
        kinds = [Kind.TWICE]
        kinds += [Kind.TABS, Kind.TABS] if len(squares) > 1 else []
        kinds += [Kind.BOTH, Kind.BOTH] if now.moves else []
        kinds += [Kind.WINNING] * 10 if winning else []
        kind = self.random.choice(kinds)
        if kind is Kind.WINNING:
            squares.sort(key=lambda square: square not in winning)
        self._hold(kind, now, ACTS[kind](tabs, squares), tabs)

    def _hold(self, kind: Kind, before: Seen, acts: Sequence[Act], tabs: dict[int, Seen]) -> bool:
        """Hold a contest; add what its winners were shown to the tabs. Return whether the game still exists."""
        told = self.arena.contest(acts)
        after = _found(before.game_id)
        judge(kind, before, acts, told, after)
        self.counted[kind] += 1
        self.overlaps += overlapped(told)
        if kind not in REPEATS:
            self.first_won[told[0].error is None] += 1
        shown = [answer.game for answer in told if answer.game and not answer.error]
        tabs.update({len(game.moves): game for game in shown})
        return after is not None


# The acts of each kind of contest. The first square is played from the current position.


def _in_tabs(tabs: dict[int, Seen], squares: Sequence[int]) -> list[Act]:
    """Return moves of one player from two current tabs, and from one two moves old, when it was their turn too."""
    now, old = tabs[max(tabs)], tabs.get(max(tabs) - 2)
    mine, _ = _players(now)
    acts = [_move(now, mine, square) for square in squares[:2]]
    return acts + ([_move(old, mine, squares[-1])] if old else [])


def _twice(tabs: dict[int, Seen], squares: Sequence[int]) -> list[Act]:
    now = tabs[max(tabs)]
    return [_move(now, _players(now)[0], squares[0])] * 2


def _by_both(tabs: dict[int, Seen], squares: Sequence[int]) -> list[Act]:
    """Return moves of both players: the opponent moves from their last turn, and from positions guessed ahead."""
    now, old = tabs[max(tabs)], tabs[max(tabs) - 1]
    mine, other = _players(now)
    acts = [_move(now, mine, squares[0]), _move(old, other, squares[-1])]
    if len(squares) > 1 and isinstance(now.position, Match):
        acts += _bet(now, other, squares[0], squares[1]) + _bet(now, other, squares[1], squares[0])
    return acts


def _for_the_win(tabs: dict[int, Seen], squares: Sequence[int]) -> list[Act]:
    """Return moves to the winning square and another one; the opponent tries the former from their last turn."""
    now, old = tabs[max(tabs)], tabs[max(tabs) - 1]
    mine, other = _players(now)
    return [*(_move(now, mine, square) for square in squares[:2]), _move(old, other, squares[0])]


ACTS = {Kind.TABS: _in_tabs, Kind.TWICE: _twice, Kind.BOTH: _by_both, Kind.WINNING: _for_the_win}


def _move(shown: Seen, player: str, square: int) -> Act:
    return Act("move", player, shown.game_id, shown.position, f"{shown.moves}{square}")


def _bet(shown: Seen, player: str, guess: int, square: int) -> list[Act]:
    """Return a move from the position after ``guess``, or none if that ends the game."""
    if _ending(shown.board, guess):
        return []
    board = rules.play(Position(shown.board), guess).board
    position = replace(shown.position, board=board, moves=f"{shown.moves}{guess}", stored_status=Status.IN_PROGRESS)
    return [Act("move", player, shown.game_id, position, f"{shown.moves}{guess}{square}")]


def _ending(board: str, square: int) -> Outcome | None:
    return rules.outcome(rules.play(Position(board), square))


def _players(shown: Seen) -> tuple[str, str]:
    """Return the player to move and the opponent, from the board alone: the invited player is X."""
    assert shown.opponent
    both = (shown.opponent, shown.host)
    return both if Position(shown.board).turn is Mark.X else both[::-1]


# What must hold after a contest.


def judge(kind: Kind, before: Seen, acts: Sequence[Act], told: Sequence[Told], after: StoredMatch | None) -> None:
    """Check that one act won (or one and its repeat), that only its write is stored, and that losers got that game."""
    story = f"{kind}: {list(zip(acts, told, strict=True))}"
    moves = (after.moves or "") if after else ""
    winners = [act for act in acts if _landed(act, after)]
    assert len(winners) == (len(acts) if kind in REPEATS else max(1, len(moves) - len(before.moves))), story
    if after:
        check(after, story)
        written = {moves[:count] for count in range(len(before.moves) + 1, len(moves) + 1)}
        assert written == {act.moves for act in winners} - {""}, story
    for act, answer in zip(acts, told, strict=True):
        if act in winners:
            assert answer.error is None, story
        else:
            assert answer.error == ("LostRace" if after else "NotFound"), story
        if after:
            assert answer.game, story
            assert _is_current(answer.game, act, before, after), story


def _landed(act: Act, after: StoredMatch | None) -> bool:
    if act.verb in ("cancel", "decline"):
        return after is None
    if after is None or act.player not in after.players:
        return False
    return (after.moves or "").startswith(act.moves)


def _is_current(shown: Seen, act: Act, before: Seen, after: StoredMatch) -> bool:
    """Whether this is the game as of the act: no older than the write that decided it.

    A player who moved from the contested position saw the winner's move. Others may have acted before it.
    """
    moves = after.moves or ""
    contested = act.position == before.position and len(act.moves) == len(before.moves) + 1
    least = len(before.moves) + (contested and moves != "")
    same_board = [*rules.replay(shown.moves)][-1].board == shown.board
    same_write = shown.since is None or shown.status != after.stored_status or shown.since == after.status_date
    begun = shown.status != Status.PENDING and shown.opponent == after.opponent
    return begun and same_board and same_write and moves.startswith(shown.moves) and len(shown.moves) >= least


def check(game: StoredMatch, story: str) -> None:
    """Check that the stored moves lead legally to the stored board, and that status, turn and result match it."""
    position = [*rules.replay(game.moves or "")][-1]
    names = {Mark.X: game.opponent, Mark.O: game.host}
    ending = rules.outcome(position)
    expected: tuple[str | None, ...] = (Status.IN_PROGRESS, None, names[position.turn])
    if ending:
        expected = (Status.FINISHED, names[ending.winner] if ending.winner else "Tie", "N/A")
    assert (game.stored_status, game.result, game.turn) == expected, f"{game} after {story}"
    assert position.board == game.board, f"{game} after {story}"


def _found(game_id: str) -> StoredMatch | None:
    try:
        return stored(game_id).match()
    except (Game.DoesNotExist, NotFound):  # Declining leaves only who did.
        return None
