"""Who is away: players who closed their last page on this server, and since when. Only the event loop calls this."""

from collections import Counter, OrderedDict
from datetime import UTC, datetime, timedelta

# Most pages reload, or begin a new stream, sooner.
AFTER = timedelta(seconds=5)
REMEMBERED = 10_000

_streams: Counter[str] = Counter()
_left: OrderedDict[str, datetime] = OrderedDict()


def came(player: str) -> bool:
    """Note one more stream of the player's. Return whether they had been away."""
    _streams[player] += 1
    return is_back(player)


def is_back(player: str) -> bool:
    """Note that the player is there, perhaps without a stream. Return whether they had been away."""
    return _left.pop(player, None) is not None


def left(player: str, *, closed: bool) -> None:
    """Note that a stream of the player's has ended: ``closed`` by their page, or by us, who expect them back."""
    _streams[player] -= 1
    if _streams[player]:
        return
    del _streams[player]
    if closed and player:
        _left[player] = datetime.now(UTC)
        if len(_left) > REMEMBERED:
            _left.popitem(last=False)


def away_since(player: str) -> datetime | None:
    """Return since when the player has been away. In the first seconds that's nobody's business."""
    since = _left.get(player)
    return since if since and datetime.now(UTC) - since >= AFTER else None
