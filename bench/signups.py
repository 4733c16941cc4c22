"""A burst of sign-ups, from as many addresses at once: how long other pages take meanwhile, and web's memory.

The pages and the burst go to gunicorn itself, because nginx would limit the burst. Hashing has its real parameters.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier, Event

import requests

from bench.site import machine
from tests.conftest import PASSWORD
from tests.support import usage
from tests.support.deployments import Deployment, deployed
from tests.support.engines import dynamodb_local
from tests.support.pages import csrf_in

PAGES = ("/healthz/", "/")
QUIET_SECONDS = 10
PAUSE_SECONDS = 0.05


def newcomer(site: str, number: int, ready: Barrier) -> list[int]:
    """Sign up again and again at once with the others, until the name is claimed or 10 tries are over."""
    with requests.Session() as session:
        session.headers["X-Forwarded-For"] = f"198.51.{number // 250}.{number % 250 + 1}"
        session.get(f"{site}/accounts/login/", timeout=60)
        form = {"username": f"player-{number}", "password": PASSWORD, "csrfmiddlewaretoken": csrf_in(session.cookies)}
        ready.wait(60)
        statuses = []
        for _ in range(10):
            answer = session.post(f"{site}/accounts/signup/", form, allow_redirects=False, timeout=60)
            statuses.append(answer.status_code)
            if answer.status_code != 503:
                break
            time.sleep(float(answer.headers["Retry-After"]))
        return statuses


def p95_ms(site: str, until: Event) -> dict[str, float]:
    """Ask for the pages in turn, one after the other; return p95 in milliseconds."""
    took: dict[str, list[float]] = {path: [] for path in PAGES}
    with requests.Session() as session:
        while not until.wait(PAUSE_SECONDS):
            for path, times in took.items():
                asked = time.monotonic()
                assert session.get(f"{site}{path}", timeout=60).status_code == 200
                times.append((time.monotonic() - asked) * 1000)
    return {path: statistics.quantiles(times, n=20)[-1] for path, times in took.items()}


def resident_mb(site: Deployment) -> float:
    return sum(usage.resident_mb(pid) for pid in (site.web_master, *site.web_pids))


@contextmanager
def watched(site: Deployment) -> Iterator[dict[str, float]]:
    """Measure pages and memory during the block; the figures are there after it."""
    over = Event()
    found: dict[str, float] = {}

    def memory() -> float:
        most = 0.0
        while not over.wait(PAUSE_SECONDS):
            most = max(most, resident_mb(site))
        return most

    with ThreadPoolExecutor() as pool:
        pages, most = pool.submit(p95_ms, site.web, over), pool.submit(memory)
        try:
            yield found
        finally:
            over.set()
        found |= pages.result() | {"MB": most.result()}


def measured(clients: int) -> dict[str, object]:
    with (
        dynamodb_local() as endpoint,
        tempfile.TemporaryDirectory() as folder,
        deployed(endpoint, Path(folder)) as site,
    ):
        requests.get(f"{site.web}/", timeout=60)
        with watched(site) as quiet:
            time.sleep(QUIET_SECONDS)
        ready = Barrier(clients)
        with ThreadPoolExecutor(clients) as pool, watched(site) as busy:
            began = time.monotonic()
            told = list(pool.map(lambda number: newcomer(site.web, number, ready), range(clients)))
            seconds = time.monotonic() - began
        time.sleep(2)
        statuses = Counter(status for each in told for status in each)
        after = resident_mb(site)
    return {"quiet": quiet, "burst": busy, "after_MB": after, "seconds": seconds, "answers": dict(statuses)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.signups", description=__doc__)
    parser.add_argument("--clients", type=int, default=200, help="how many sign up at once (default 200)")
    chosen = parser.parse_args()
    print(machine(), file=sys.stderr)
    print(json.dumps(measured(chosen.clients), indent=2))


if __name__ == "__main__":
    main()
