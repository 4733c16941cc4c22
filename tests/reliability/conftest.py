"""Fixtures for reliability tests: races, faults and crashes run on DynamoDB Local only, and a proxy injects faults."""

from collections.abc import Iterator

import pytest

from tests.support.faults import Handle, faulty


@pytest.fixture
def proxy(games_table: str) -> Iterator[Handle]:
    """Yield a proxy in front of the engine that injects faults."""
    with faulty(games_table) as handle:
        yield handle
