"""A replay of a game: each move, the mistakes, and a text to share."""

from dataclasses import dataclass, replace
from functools import cached_property

from games import rules
from games.pages.board import SPOKEN, Cell, Stroke, lines_said, rows, strokes
from games.rules import EMPTY, Mark, Position, analysis
from games.rules.analysis import Mistake

EMOJI = {Mark.X.value: "❌", Mark.O.value: "🔵", EMPTY: "⬜"}


@dataclass(frozen=True, slots=True)
class Step:
    """One move: its number (from 1), player's mark, square, and mistake if it was one.

    ``lost`` is whether that mistake lost the game, because the other player made use of it.
    """

    number: int
    mark: Mark
    square: int
    mistake: Mistake | None
    lost: bool = False

    @property
    def text(self) -> str:
        return f"{self.mark} {SPOKEN[self.square]}"

    @property
    def verdict(self) -> str:
        """What the mistake was, in a few words; empty if the move was none."""
        if self.mistake is None:
            return ""
        return "missed a win" if self.mistake.missed_win else "lost the game" if self.lost else "risky"

    @property
    def comment(self) -> str:
        """One sentence on the better moves; empty if there were none."""
        if self.mistake is None:
            return ""
        *others, last = [SPOKEN[square] for square in self.mistake.better]
        better = f"{', '.join(others)} or {last}" if others else last
        if not self.mistake.missed_win:
            return f"Move {self.number} {'' if self.lost else 'was '}{self.verdict}: {better} would have blocked it."
        how = "won at once" if self.mistake.at_once else "led to a sure win"
        return f"Move {self.number} missed a win: {better} would have {how}."


@dataclass(frozen=True)
class ReplayPage:
    """A game given by its moves, with the board after ``shown`` of them.

    ``winner`` is the winning mark if the moves don't show it, and ``why`` what the other did: resigned, or ran out of
    time. Its properties raise Malformed or IllegalMove if the moves aren't a game.
    """

    moves: str
    shown: int
    winner: Mark | None = None
    why: str = ""

    @cached_property
    def positions(self) -> list[Position]:
        return list(rules.replay(self.moves))

    @cached_property
    def steps(self) -> list[Step]:
        steps = [
            Step(number, before.turn, int(digit), analysis.mistake(before, int(digit)))
            for number, (before, digit) in enumerate(zip(self.positions, self.moves, strict=False), 1)
        ]
        latest = next((step for step in reversed(steps) if step.mistake), None)
        # A later mistake of the other player would have made up for it.
        if latest and latest.mistake and not latest.mistake.missed_win and self.won_by not in (None, latest.mark):
            steps[latest.number - 1] = replace(latest, lost=True)
        return steps

    @property
    def won_by(self) -> Mark | None:
        """The winner's mark, by the board or otherwise; None for a tie and for an unfinished game."""
        outcome = rules.outcome(self.positions[-1])
        return outcome.winner if outcome else self.winner

    @property
    def step(self) -> Step | None:
        """The move that led to this board; None for the empty board."""
        return self.steps[self.shown - 1] if self.shown else None

    @property
    def rows(self) -> list[list[Cell]]:
        step = self.step
        better = step.mistake.better if step and step.mistake else ()
        return rows(self.positions[self.shown], last=step.square if step else None, better=better)

    @property
    def strokes(self) -> list[Stroke]:
        return strokes(self.positions[self.shown])

    @property
    def total(self) -> int:
        return len(self.moves)

    @property
    def caption(self) -> str:
        step = self.step
        if step is None:
            return "The empty board: X moves first."
        played = f"Move {self.shown} of {self.total}: {step.mark} takes {SPOKEN[step.square]}."
        position = self.positions[self.shown]
        ending = rules.outcome(position)
        if ending is None:
            return played
        return f"{played} {f'{ending.winner} wins: {lines_said(position)}.' if ending.winner else 'A tie.'}"

    @property
    def souvenir(self) -> str:
        """The game as four lines to share: how it ended, and the board. Empty for an unfinished game."""
        if not (rules.outcome(self.positions[-1]) or self.winner):
            return ""
        board = self.positions[-1].board
        lines = ("".join(EMOJI[mark] for mark in board[start : start + 3]) for start in (0, 3, 6))
        how = f"{self.won_by} won" if self.won_by else "a tie"
        moves = f"{self.total} move{'s' if self.total != 1 else ''}"
        why = f": {Mark.O if self.won_by is Mark.X else Mark.X} {self.why}" if self.why else ""
        return "\n".join([f"Tic-Tac-Toe, {how} after {moves}{why}", *lines])
