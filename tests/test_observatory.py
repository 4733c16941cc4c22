"""What Mozilla's HTTP Observatory says about the site behind a load balancer that terminates TLS."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.engines import missing
from tests.support.instances import instance
from tests.support.sites import configured_for
from tests.support.tls import balanced
from tictactoe_site.config import BASE_DIR

SCAN = BASE_DIR / ".venv/observatory/node_modules/@mdn/mdn-http-observatory/src/scan.js"
LEAST = 120


@pytest.mark.process
@pytest.mark.parametrize("engine", ["moto"], indirect=True)
def test_observatory_gives_at_least_120(games_table: str, tmp_path: Path, report: Callable[[str], None]) -> None:
    if not (shutil.which("node") and SCAN.exists()):
        missing("npm or the HTTP Observatory (make .venv/observatory)")
    with Path(configured_for(games_table, tmp_path)).open("a") as file:
        file.write("https = yes\n")
    with instance(games_table, tmp_path) as site, balanced(site.address, tmp_path) as (name, certificate):
        trusting = os.environ | {"NODE_EXTRA_CA_CERTS": str(certificate)}
        command = ["node", str(SCAN), name]
        scanned = subprocess.run(command, capture_output=True, text=True, env=trusting, timeout=300, check=False)
    found = json.loads(scanned.stdout)
    assert "scan" in found, (found, scanned.stderr)
    lost = {test: each["result"] for test, each in found["tests"].items() if not each["pass"]}
    assert (lost, found["scan"]["score"] >= LEAST) == ({}, True), json.dumps(found, indent=2)
    report(f"HTTP Observatory: {found['scan']['score']}, {found['scan']['grade']}")
