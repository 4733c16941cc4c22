"""What these tests share: DynamoDB Local alone judges races, faults and crashes, and a proxy makes the faults."""

from collections.abc import Iterator

import pytest

from tests.support.faults import Handle, faulty


@pytest.fixture
def proxy(games_table: str) -> Iterator[Handle]:
    """A proxy that injects faults, before the engine."""
    with faulty(games_table) as handle:
        yield handle
