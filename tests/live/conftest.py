"""Fixtures for the live tests, some shared with the reliability tests."""

from collections.abc import Iterator

import pytest

from tests.reliability.conftest import proxy as proxy
from tests.support import crowd
from tests.support.sites import playing


@pytest.fixture(scope="module")
def running(engine: str) -> Iterator[str]:
    """Yield the address of a site that serves pages and streams, on the engine's table."""
    with playing("--endpoint", engine) as (address, _):
        yield address.rstrip("/")


@pytest.fixture
def watchers() -> Iterator[crowd.Handle]:
    with crowd.gathered() as handle:
        yield handle
