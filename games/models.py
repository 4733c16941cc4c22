"""The Game item: its attributes and its indexes; how it becomes a match or an entry, and a match becomes an item."""

from dataclasses import asdict, replace
from functools import lru_cache
from typing import Self

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import AttributeDeserializationError
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

from dynamodb.items import RawItem
from games import rules
from games.errors import UnreadableGame
from games.match import Entry, Status, StoredMatch
from games.rules import EMPTY, Mark
from tictactoe_site.table import Item


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
    """One game. Read from an index, which projects neither squares nor turn, it is an ``entry`` and no ``match``."""

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
    def from_raw_data(cls, data: RawItem) -> Self:
        """Raises UnreadableGame where an attribute is of another type."""
        try:
            return super().from_raw_data(data)
        except (AttributeDeserializationError, ValueError) as exc:
            raise UnreadableGame("This game's stored item has an attribute of the wrong type.") from exc

    @property
    def is_game(self) -> bool:
        """Whether it is a game at all: the table has items of other kinds, such as players."""
        return bool(self.host_id and self.status_date)

    def entry(self) -> Entry:
        """Raises UnreadableGame."""
        return Entry(
            game_id=self.game_id,
            host=self.host_id,
            opponent_id=self.opponent_id,
            computer=self.computer,
            stored_status=_status_in(self.status_date or ""),
            status_date=self.status_date,
            result=self.result,
            expires_at=self.expires_at,
        )

    def match(self) -> StoredMatch:
        """Raises UnreadableGame, also where no game leads to the board."""
        board = "".join(getattr(self, field) or EMPTY for field in SQUARE_FIELDS)
        match = StoredMatch(
            **vars(self.entry()),
            board=board,
            moves=_moves_to(board, self.recorded_moves),
            o_user=self.o_user or self.host_id,
            pace=int(self.pace) if self.pace else None,
            turn=self.turn,
            deadline=self.deadline,
            ending=self.ending,
            by_link=self.by_link,
        )
        decided = match.decided  # which raises now what would be raised by whoever looks at the board first
        # The AWS example left games won, and not marked so.
        return replace(match, result=decided) if match.needs_settling and not match.result else match


# The nine squares' attributes in reading order, and their names in Python.
_names = {attribute.attr_name: name for name, attribute in Game.get_attributes().items()}
SQUARE_FIELDS = tuple(_names[square] for square in rules.SQUARES)
SQUARES: tuple[UnicodeAttribute, ...] = tuple(getattr(Game, name) for name in SQUARE_FIELDS)


def item_of(match: StoredMatch) -> Game:
    """Return the item that holds the match: all but four of the fields have the names of its attributes."""
    values = asdict(match) | {"host_id": match.host, "recorded_moves": match.moves}
    for name in ("host", "moves", "board", "stored_status"):
        del values[name]
    squares = zip(SQUARE_FIELDS, match.board, strict=True)
    return Game(**values | {field: mark for field, mark in squares if mark != EMPTY})


def _status_in(status_date: str) -> Status:
    try:
        return Status(status_date.rpartition("_")[0])
    except ValueError as exc:
        raise UnreadableGame("This game's stored status is none that a game can have.") from exc


@lru_cache(maxsize=10_000)  # A page of a game is asked for again and again.
def _moves_to(board: str, recorded: str | None) -> str | None:
    """Return the moves that led to the board: as recorded, if they do; of two marks at most, whatever was recorded."""
    if recorded and _leads_to(recorded, board):
        return recorded
    squares = {mark: index for index, mark in enumerate(board) if mark != EMPTY}
    if len(board) - board.count(EMPTY) > 2:
        return None
    return "".join(str(squares[mark]) for mark in Mark if mark in squares)  # X moves first


def _leads_to(moves: str, board: str) -> bool:
    try:
        return [position.board for position in rules.replay(moves)][-1] == board
    except (rules.Malformed, rules.IllegalMove):
        return False
