"""The Game item, its attributes and indexes, and its conversion to and from a match or an entry."""

from dataclasses import asdict
from functools import lru_cache
from typing import Self

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import AttributeDeserializationError
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

from dynamodb.items import RawItem, present
from games import rules
from games.errors import NotFound, UnreadableGame
from games.match import Entry, Status, StoredMatch
from games.rules import EMPTY, Mark
from tictactoe_site.table import Item

# The last second that a datetime can have. Larger numbers are milliseconds.
LATEST = 253_402_300_799
# By the prefix of StatusDate.
STATUSES = {str(status): status for status in Status}
# The keys of the table and its indexes, whose types DynamoDB itself checks.
KEYS = ("GameId", "HostId", "OpponentId", "StatusDate")


# The indexes project only attributes that an ordinary move doesn't change: a changed one costs a write unit per index
# (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html, provisioned throughput).
class HostIndex(GlobalSecondaryIndex["Game"]):
    class Meta:
        index_name = "HostId-StatusDate-index"
        projection = IncludeProjection(["OpponentId", "Result", "ExpiresAt", "Computer"])

    host_id = UnicodeAttribute(hash_key=True, attr_name="HostId")
    status_date = UnicodeAttribute(range_key=True, attr_name="StatusDate")


class OpponentIndex(GlobalSecondaryIndex["Game"]):
    """The games that a player was invited to by name, without open invitations and games against the computer."""

    class Meta:
        index_name = "OpponentId-StatusDate-index"
        projection = IncludeProjection(["HostId", "Result", "ExpiresAt"])

    opponent_id = UnicodeAttribute(hash_key=True, attr_name="OpponentId")
    status_date = UnicodeAttribute(range_key=True, attr_name="StatusDate")


class Game(Item):
    """One game. The indexes project neither squares nor turn: an item from there has an ``entry`` but no ``match``."""

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
    # The computer's level. Such a game has no OpponentId, or they'd all share one partition key of the index.
    computer = UnicodeAttribute(attr_name="Computer", null=True)
    # An open invitation, even after somebody took it: a later player then sees a lost race, not a refusal.
    by_link = BooleanAttribute(attr_name="ByLink", null=True)
    # Seconds per move, and the deadline of the next move in epoch seconds.
    pace = NumberAttribute(attr_name="Pace", null=True)
    deadline = NumberAttribute(attr_name="Deadline", null=True)
    # When the turn began, by a move or the acceptance, in epoch seconds.
    moved_at = NumberAttribute(attr_name="MovedAt", null=True)
    # The reason why it ended, if the board doesn't show it.
    ending = UnicodeAttribute(attr_name="Ending", null=True)
    # Of the earlier games in a series of rematches, by role: a player's new name doesn't change it.
    score = UnicodeAttribute(attr_name="Score", null=True)
    # Who declined the invitation that had this id: nothing else of it is left.
    declined_by = UnicodeAttribute(attr_name="DeclinedBy", null=True)

    host_index = HostIndex()
    opponent_index = OpponentIndex()
    is_damaged = False

    @classmethod
    def from_raw_data(cls, data: RawItem) -> Self:
        """Return the item. One that ``is_damaged``, by an attribute of the wrong type, has no more than the keys."""
        try:
            return super().from_raw_data(present(data))
        except (AttributeDeserializationError, ValueError):
            game = super().from_raw_data({name: data[name] for name in KEYS if name in data})
            game.is_damaged = True
            return game

    @property
    def is_game(self) -> bool:
        """Whether this is a game: the table also has other items, such as players."""
        return bool(self.host_id and self.status_date)

    def entry(self) -> Entry:
        """Return the game's index entry. One whose status no game can have is damaged, and counts as finished."""
        status = STATUSES.get((self.status_date or "").rpartition("_")[0])
        return Entry(
            game_id=self.game_id,
            host=self.host_id,
            opponent_id=self.opponent_id,
            computer=self.computer,
            stored_status=status or Status.FINISHED,
            status_date=self.status_date,
            stored_result=self.result,
            ending=self.ending,
            # In milliseconds it's so far away that TTL never comes.
            expires_at=self.expires_at if (self.expires_at or 0) <= LATEST else None,
            is_damaged=self.is_damaged or status is None,
        )

    def match(self) -> StoredMatch:
        """Return the whole game. Raises NotFound if it was declined; UnreadableGame, also for an impossible board."""
        if self.declined_by:
            raise NotFound(f"{self.declined_by} said: No, thanks.", self.declined_by, is_error=False)
        if self.is_damaged:
            raise UnreadableGame("This game's stored item has an attribute of the wrong type.")
        board = "".join(getattr(self, field) or EMPTY for field in SQUARE_FIELDS)
        return _sound(
            StoredMatch(
                **vars(self.entry()),
                board=board,
                moves=_moves_to(board, self.recorded_moves),
                o_user=self.o_user or self.host_id,
                pace=int(self.pace) if self.pace else None,
                score=self.score,
                turn=self.turn,
                deadline=self.deadline,
                moved_at=self.moved_at if 0 < (self.moved_at or 0) <= LATEST else None,
                by_link=self.by_link,
            )
        )


# The nine squares' attributes in reading order, and their Python names.
_names = {attribute.attr_name: name for name, attribute in Game.get_attributes().items()}
SQUARE_FIELDS = tuple(_names[square] for square in rules.SQUARES)
SQUARES: tuple[UnicodeAttribute, ...] = tuple(getattr(Game, name) for name in SQUARE_FIELDS)


def item_of(match: StoredMatch) -> Game:
    """Return the item for the match. All but six of the match's fields share their names with attributes."""
    values = asdict(match) | {"host_id": match.host, "recorded_moves": match.moves, "result": match.result}
    for name in ("host", "moves", "board", "stored_status", "stored_result", "is_damaged"):
        del values[name]
    squares = zip(SQUARE_FIELDS, match.board, strict=True)
    return Game(**values | {field: mark for field, mark in squares if mark != EMPTY})


def _sound(match: StoredMatch) -> StoredMatch:
    """Return the match. Raises UnreadableGame if its attributes contradict each other."""
    if match.is_damaged:
        raise UnreadableGame("This game's stored status is none that a game can have.")
    _ = match.position  # Raises here, not later, if the board is impossible.
    if match.deadline and match.deadline > LATEST:
        raise UnreadableGame("This game's stored deadline isn't in seconds.")
    if match.opponent is None and match.status is not Status.PENDING:
        raise UnreadableGame("This game has begun without an opponent.")
    if match.status is Status.FINISHED and not match.has_result:
        raise UnreadableGame("This game's stored result names neither of its players.")
    if match.status is not Status.FINISHED and match.turn not in (None, match.whose_turn):
        raise UnreadableGame("This game's stored turn isn't the one that its board shows.")
    return match


@lru_cache(maxsize=10_000)  # A game's page is requested again and again.
def _moves_to(board: str, recorded: str | None) -> str | None:
    """Return the moves that led to the board: the recorded ones if they fit, or those that at most two marks imply."""
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
