"""Eight processes start at once without a table: they make one, with the right indexes and no errors."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import requests

from dynamodb import provisioning, startup
from dynamodb.client import shared_client, warm_up
from tests.support.engines import dynamodb_local
from tests.support.processes import comes_true
from tests.support.sites import configured_for, playing, serving
from tictactoe_site import config, table
from tictactoe_site.config import BASE_DIR
from tictactoe_site.table import TTL_ATTRIBUTE

pytestmark = pytest.mark.process

PROCESSES = 8


@pytest.fixture
def empty() -> Iterator[str]:
    """Yield the address of a DynamoDB Local without a table."""
    with dynamodb_local() as address:
        yield address


def manage(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", *arguments]


def check_the_one_table(address: str) -> None:
    table.bind(config.for_endpoint(address, environ={}), patient=True)
    assert shared_client().list_tables()["TableNames"] == ["Games"]
    # TTL can be enabled only once the table is ACTIVE, and so ready for pages.
    assert comes_true(lambda: provisioning.time_to_live() == TTL_ATTRIBUTE, seconds=60)
    command = manage("inspect_table", "--json", "--endpoint", address)
    inspected = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=True)
    assert json.loads(inspected.stdout)["differences"] == []


def test_eight_create_table_commands_make_one_table(empty: str) -> None:
    pipe = subprocess.PIPE
    command = manage("create_table", "--json", "--endpoint", empty)
    started = [subprocess.Popen(command, cwd=BASE_DIR, stdout=pipe, stderr=pipe, text=True) for _ in range(PROCESSES)]
    ended = [(*process.communicate(timeout=120), process.returncode) for process in started]
    assert [code for _, _, code in ended] == [0] * PROCESSES, ended
    assert sum(json.loads(out)["created"] for out, _, _ in ended) == 1
    assert not [err for _, err, _ in ended if "not set" in err or "Traceback" in err]
    check_the_one_table(empty)


def create(address: str, start: Barrier) -> bool:
    table.bind(config.for_endpoint(address, environ={}), patient=True)
    shared_client()
    start.wait()
    return provisioning.create(lambda line: None)[0]


def test_simultaneous_create_requests_make_one_table(empty: str) -> None:
    context = get_context("spawn")
    with context.Manager() as manager, context.Pool(PROCESSES, initializer=set_up_django) as processes:
        start = manager.Barrier(PROCESSES)
        made = processes.starmap(create, [(empty, start)] * PROCESSES, chunksize=1)
    assert sum(made) == 1
    check_the_one_table(empty)


def set_up_django() -> None:
    import os

    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "tictactoe_site.settings"
    django.setup()


def test_eight_workers_make_one_table(empty: str, tmp_path: Path) -> None:
    with serving("--workers", str(PROCESSES), CONFIG_FILE=configured_for(empty, tmp_path)) as address:
        assert comes_true(lambda: requests.get(f"{address}/readyz/", timeout=60).status_code == 200, seconds=60)
        check_the_one_table(empty)


def test_eight_sites_make_one_table(empty: str) -> None:
    with ExitStack() as sites:
        started = [sites.enter_context(playing("--endpoint", empty)) for _ in range(PROCESSES)]
        for address, _ in started:
            with urlopen(f"{address}readyz/", timeout=60) as answer:
                assert answer.status == 200
    check_the_one_table(empty)


def test_refused_ttl_is_enabled_by_retry(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table.bind(config.for_endpoint(empty, environ={}))
    warm_up()
    monkeypatch.setattr(startup, "FIRST_PAUSE_SECONDS", 0)
    refused = [type("Refusal", (), {"status_code": 400})] * 3
    parsed = {"Error": {"Code": "ResourceInUseException", "Message": "Busy."}, "ResponseMetadata": {}}

    def refuse(**_: Any) -> tuple[Any, Any] | None:
        return (refused.pop(), parsed) if refused else None

    shared_client().meta.events.register("before-call.dynamodb.UpdateTimeToLive", refuse)
    startup.get_ready()
    assert refused == []
    assert provisioning.time_to_live() == TTL_ATTRIBUTE
