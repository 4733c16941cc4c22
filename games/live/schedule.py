"""How often a watched thing is read: once a second while somebody waits for it, and less the longer nothing happens.

The bounds are 60 eventually consistent reads a minute for a game with somebody before it, and 4 for a forgotten one.
Two players who poll each second, as the AWS example's pages do, make 120.
"""

HOT_READS = 60
WARM_READS = 12
IDLE_READS = 4
HOT_FOR_SECONDS = 120
WARM_FOR_SECONDS = 300
# Any minute: a little longer than one, so that none has a sixty-first read at its very end.
MINUTE_SECONDS = 60.6


def pause(*, quiet: float, looked_at: bool, reads: int = 1) -> float:
    """Seconds until the next look at something that takes ``reads`` reads and has not changed for ``quiet`` seconds.

    ``looked_at`` is whether somebody has it before their eyes: then it is read each second however long the players
    think.
    """
    if looked_at or quiet < HOT_FOR_SECONDS:
        return shortest_pause(reads)
    return _pause(reads, WARM_READS if quiet < WARM_FOR_SECONDS else IDLE_READS)


def shortest_pause(reads: int) -> float:
    return _pause(reads, HOT_READS)


def _pause(reads: int, most: int) -> float:
    """Keeps the looks of any minute within ``most`` reads; where one look has more, of several minutes."""
    looks = most // reads
    return MINUTE_SECONDS / looks if looks else MINUTE_SECONDS * reads / most
