"""The Game item: its attributes, its indexes, and what can be read off it. Nothing here writes."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import AttributeDeserializationError
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

from dynamodb.items import RawItem
from games import rules
from games.errors import UnreadableGame
from games.match import TIME_FORMAT, Match, Status
from games.rules import Mark, Outcome, Position, computer
from tictactoe_site.table import Item

NOBODYS_TURN = "N/A"
SQUARE_FIELDS = (
    "top_left",
    "top_middle",
    "top_right",
    "middle_left",
    "middle_middle",
    "middle_right",
    "bottom_left",
    "bottom_middle",
    "bottom_right",
)


# An index holds only what a plain move leaves alone: a projected attribute that changes costs a write unit in each
# index (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html, provisioned throughput).
class HostIndex(GlobalSecondaryIndex["Game"]):
    """A player's games as host."""

    class Meta:
        index_name = "HostId-StatusDate-index"
        projection = IncludeProjection(["OpponentId", "Result", "ExpiresAt", "Computer"])

    host_id = UnicodeAttribute(hash_key=True, attr_name="HostId")
    status_date = UnicodeAttribute(range_key=True, attr_name="StatusDate")


class OpponentIndex(GlobalSecondaryIndex["Game"]):
    """A player's games by invitation. Open invitations and games against the computer are not in it."""

    class Meta:
        index_name = "OpponentId-StatusDate-index"
        projection = IncludeProjection(["HostId", "Result", "ExpiresAt"])

    opponent_id = UnicodeAttribute(hash_key=True, attr_name="OpponentId")
    status_date = UnicodeAttribute(range_key=True, attr_name="StatusDate")


class Game(Item):
    """One game. Read from an index it lacks all that the index does not project: the squares and the turn."""

    host_id = UnicodeAttribute(attr_name="HostId")
    opponent_id = UnicodeAttribute(attr_name="OpponentId", null=True)
    status_date = UnicodeAttribute(attr_name="StatusDate")
    o_user = UnicodeAttribute(attr_name="OUser", null=True)
    turn = UnicodeAttribute(attr_name="Turn", null=True)
    result = UnicodeAttribute(attr_name="Result", null=True)
    top_left = UnicodeAttribute(attr_name="TopLeft", null=True)
    top_middle = UnicodeAttribute(attr_name="TopMiddle", null=True)
    top_right = UnicodeAttribute(attr_name="TopRight", null=True)
    middle_left = UnicodeAttribute(attr_name="MiddleLeft", null=True)
    middle_middle = UnicodeAttribute(attr_name="MiddleMiddle", null=True)
    middle_right = UnicodeAttribute(attr_name="MiddleRight", null=True)
    bottom_left = UnicodeAttribute(attr_name="BottomLeft", null=True)
    bottom_middle = UnicodeAttribute(attr_name="BottomMiddle", null=True)
    bottom_right = UnicodeAttribute(attr_name="BottomRight", null=True)
    recorded_moves = UnicodeAttribute(attr_name="Moves", null=True)
    expires_at = NumberAttribute(attr_name="ExpiresAt", null=True)
    # The computer's level; such a game has no OpponentId, or all of them would share one index key.
    computer = UnicodeAttribute(attr_name="Computer", null=True)
    # An open invitation, also once somebody has taken it: later comers have lost a race, not intruded.
    by_link = BooleanAttribute(attr_name="ByLink", null=True)
    # How many seconds a move may take, and until when, in epoch seconds, the next one must have come.
    pace = NumberAttribute(attr_name="Pace", null=True)
    deadline = NumberAttribute(attr_name="Deadline", null=True)
    # How it ended, if not on the board.
    ending = UnicodeAttribute(attr_name="Ending", null=True)

    host_index = HostIndex()
    opponent_index = OpponentIndex()

    @classmethod
    def from_raw_data(cls, data: RawItem) -> Game:
        """Raises UnreadableGame where an attribute is of another type."""
        try:
            return super().from_raw_data(data)
        except (AttributeDeserializationError, ValueError) as exc:
            raise UnreadableGame("This game's stored item has an attribute of the wrong type.") from exc

    @cached_property
    def match(self) -> Match:
        """What the item is to the rules, made once: an item that was read does not change. Raises UnreadableGame."""
        board = "".join(getattr(self, field) or rules.EMPTY for field in SQUARE_FIELDS)
        return Match(
            game_id=self.game_id,
            host=self.host_id,
            opponent=self.opponent_id,
            computer=self.computer,
            status=self.stored_status,
            board=board,
            moves=_moves_to(board, self.recorded_moves),
            o_user=self.o_user or self.host_id,
            pace=int(self.pace) if self.pace else None,
        )

    @property
    def board(self) -> str:
        return self.match.board

    @property
    def moves(self) -> str | None:
        """The squares in order of play; None where it is unknown, as the AWS example records none."""
        return self.match.moves

    @property
    def position(self) -> Position:
        """Raises UnreadableGame where no game leads to the board."""
        return self.match.position

    @property
    def outcome(self) -> Outcome | None:
        return self.match.outcome

    @cached_property
    def stored_status(self) -> Status:
        """What StatusDate says. Raises UnreadableGame where it says none of the three."""
        try:
            return Status(self.status_date.rpartition("_")[0])
        except ValueError as exc:
            raise UnreadableGame("This game's stored status is none that a game can have.") from exc

    @cached_property
    def status(self) -> Status:
        """As stored, but for a game that the AWS example left won and not marked so: that is finished."""
        stored = self.stored_status
        return Status.FINISHED if stored is Status.IN_PROGRESS and self.outcome else stored

    @property
    def needs_settling(self) -> bool:
        return self.status is not self.stored_status

    @cached_property
    def since(self) -> datetime | None:
        """When the game came into its status; None where the item's date is not in this form."""
        try:
            return datetime.strptime(self.status_date.rpartition("_")[2], TIME_FORMAT).replace(tzinfo=UTC)
        except ValueError:
            return None

    @property
    def opponent(self) -> str | None:
        """None while an open invitation waits for somebody."""
        return computer.NAME if self.computer else self.opponent_id

    @property
    def players(self) -> tuple[str | None, str | None]:
        return self.host_id, self.opponent

    def is_late(self, now: datetime) -> bool:
        """Whether the time of whoever is to move is up, so that the other has won: ``store.forfeit`` says so."""
        return self.status is Status.IN_PROGRESS and self.deadline is not None and self.deadline <= now.timestamp()

    @property
    def winner(self) -> str | None:
        """The winner's name, ``Tie``, or None while the game goes on; of an unsettled game, from its board."""
        if self.result is None and self.needs_settling:
            return self.match.result
        return self.result

    @property
    def whose_turn(self) -> str | None:
        return None if self.status is Status.FINISHED or self.turn == NOBODYS_TURN else self.turn

    def invites(self, player: str) -> bool:
        """Whether the invitation, while it is pending, is for this player: by name, or open and not their own."""
        return player == self.opponent_id or (self.opponent is None and player != self.host_id)

    def expired(self, now: datetime) -> bool:
        """Whether TTL is free to delete the item, which it does up to days later."""
        return self.expires_at is not None and self.expires_at <= now.timestamp()


SQUARES: tuple[UnicodeAttribute, ...] = tuple(getattr(Game, field) for field in SQUARE_FIELDS)


def _moves_to(board: str, recorded: str | None) -> str | None:
    """Return the moves that led to the board: as recorded, if they do; of two marks at most, whatever was recorded."""
    if recorded and _leads_to(recorded, board):
        return recorded
    squares = {mark: index for index, mark in enumerate(board) if mark != rules.EMPTY}
    if len(board) - board.count(rules.EMPTY) > 2:
        return None
    return "".join(str(squares[mark]) for mark in Mark if mark in squares)  # X moves first


def _leads_to(moves: str, board: str) -> bool:
    try:
        return [position.board for position in rules.replay(moves)][-1] == board
    except (rules.Malformed, rules.IllegalMove):
        return False
