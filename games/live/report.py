"""A line in the log each minute: how many streams there are, and what they cost of DynamoDB."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from dynamodb.metering import Usage

EACH_SECONDS = 60

logger = logging.getLogger(__name__)


async def each_minute(open_now: Callable[[], dict[str, int]], usage: Usage) -> None:
    """``open_now`` counts what is open, by name; ``usage`` grows. A minute without streams and calls has no line."""
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
