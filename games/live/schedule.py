"""How often a topic is read: once a second while somebody waits for it, less often the longer nothing happens."""

# Eventually consistent reads a minute. Two players who poll each second, as in the AWS example, cost 120.
HOT_READS = 60
WARM_READS = 12
IDLE_READS = 4
HOT_FOR_SECONDS = 120
WARM_FOR_SECONDS = 300
# Slightly more than a minute, so that no 60 seconds contain a 61st read.
MINUTE_SECONDS = 60.6


def pause(*, quiet: float, looked_at: bool, reads: int = 1) -> float:
    """Return the seconds until the next read of a topic that has been unchanged for ``quiet`` seconds.

    ``reads`` is the number of eventually consistent reads that it takes. ``looked_at`` is whether somebody has it on
    their screen; then it's read each second, however long the players think.
    """
    forgotten = WARM_READS if quiet < WARM_FOR_SECONDS else IDLE_READS
    most = HOT_READS if looked_at or quiet < HOT_FOR_SECONDS else forgotten
    looks = most // reads  # none in this minute, if a topic takes more
    return MINUTE_SECONDS / looks if looks else MINUTE_SECONDS * reads / most
