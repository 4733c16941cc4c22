"""A log line each minute: the number of streams, and their cost in DynamoDB."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from dynamodb.metering import Usage

EACH_SECONDS = 60

logger = logging.getLogger(__name__)


async def each_minute(open_now: Callable[[], dict[str, int]], usage: Usage) -> None:
    """Log the counts of ``open_now`` and the growth of ``usage`` each minute, unless there are no streams or calls."""
    while True:
        before = replace(usage)
        await asyncio.sleep(EACH_SECONDS)
        open_counts = open_now()
        calls, units = usage.calls - before.calls, usage.read_units - before.read_units
        if calls or any(open_counts.values()):
            fields = {**open_counts, "dynamodb_calls": calls, "read_units": units}
            logger.info(
                "%s", ", ".join(f"{name} {value:g}" for name, value in fields.items()), extra={"fields": fields}
            )
