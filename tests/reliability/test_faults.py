"""A third of all requests to DynamoDB fail: no move is lost or made twice, and players are told the truth."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.reliability.seasons import Season
from tests.support.faults import STORM, Faults, Handle
from tests.support.sites import configured_for, serving

pytestmark = [
    pytest.mark.process,
    pytest.mark.parametrize("engine", ["dynamodb_local"], indirect=True),
]


@pytest.fixture
def site(proxy: Handle, tmp_path: Path) -> Iterator[str]:
    """Yield the address of a site under gunicorn that reaches DynamoDB through the proxy."""
    file = configured_for(proxy.address, tmp_path)
    with serving("--workers", "2", "--threads", "16", CONFIG_FILE=file) as address:
        yield address


def test_games_complete_under_faults_without_lost_or_doubled_moves(
    site: str, proxy: Handle, full: bool, report: Callable[[str], None]
) -> None:
    season, games = Season(site), 1000 if full else 50
    proxy.set(STORM)
    began = time.monotonic()
    season.play(games)
    seconds = time.monotonic() - began
    met = proxy.set(Faults())
    season.check()
    assert len(season.acknowledged) == games
    assert min(met.get(fault, 0) for fault in ("throttle", "error", "close", "lose", "stall")) > 0
    # gunicorn closes connections idle for two seconds, sometimes just as one is used again.
    assert set(season.told) <= {200, 201, 409, 503, "ConnectionError"}, season.told
    report(f"faults: {games:,} games in {seconds:.0f} s; DynamoDB requests {met}; players were told {season.told}")
