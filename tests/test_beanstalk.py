"""What runs on an instance: Beanstalk's options, the hooks, and the unpacked bundle started by its Procfile."""

import io
import os
import re
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
import yaml
from django.test import Client

from beanstalk import bundle_check
from tests.support.bundles import built as built
from tests.support.bundles import origin as origin
from tests.support.engines import free_port, wait_for_port
from tests.support.nginx import Nginx
from tictactoe_site.config import BASE_DIR

pytestmark = pytest.mark.deployment


def test_nginx_uses_only_the_procfiles_ports() -> None:
    pieces = (BASE_DIR / ".platform" / "nginx").rglob("*.conf")
    used = {int(port) for piece in pieces for port in re.findall(r"127\.0\.0\.1:(\d+)", piece.read_text())}
    assert used == set(bundle_check.PORTS.values())


# From "General options for all environments" in the Developer Guide: names, and a pattern of allowed values.
TRUE_OR_FALSE = "true|false"
DAYS = "1|3|5|7|14|30|60|90|120|150|180|365|400|545|731|1827|3653"
OPTIONS = {
    "aws:elasticbeanstalk:application:environment": {"WEB_CONCURRENCY": r"\d+"},
    "aws:elasticbeanstalk:environment": {"LoadBalancerType": "classic|application|network"},
    "aws:elasticbeanstalk:environment:process:default": {
        "HealthCheckPath": "/.*",
        "MatcherHTTPCode": "[234]..",
        "DeregistrationDelay": r"\d{1,4}",
        "StickinessEnabled": TRUE_OR_FALSE,
    },
    "aws:elasticbeanstalk:healthreporting:system": {"SystemType": "basic|enhanced"},
    "aws:elasticbeanstalk:command": {
        "DeploymentPolicy": "AllAtOnce|Rolling|RollingWithAdditionalBatch|Immutable|TrafficSplitting"
    },
    "aws:autoscaling:updatepolicy:rollingupdate": {
        "RollingUpdateEnabled": TRUE_OR_FALSE,
        "RollingUpdateType": "Time|Health|Immutable",
    },
    "aws:elasticbeanstalk:managedactions": {
        "ManagedActionsEnabled": TRUE_OR_FALSE,
        "PreferredStartTime": "(Mon|Tue|Wed|Thu|Fri|Sat|Sun):[0-2][0-9]:[0-5][0-9]",
        "ServiceRoleForManagedUpdates": "AWSServiceRoleForElasticBeanstalkManagedUpdates",
    },
    "aws:elasticbeanstalk:managedactions:platformupdate": {"UpdateLevel": "minor|patch"},
    "aws:elasticbeanstalk:cloudwatch:logs": {
        "StreamLogs": TRUE_OR_FALSE,
        "RetentionInDays": DAYS,
        "DeleteOnTerminate": TRUE_OR_FALSE,
    },
    "aws:elasticbeanstalk:cloudwatch:logs:health": {
        "HealthStreamingEnabled": TRUE_OR_FALSE,
        "RetentionInDays": DAYS,
        "DeleteOnTerminate": TRUE_OR_FALSE,
    },
    "aws:autoscaling:launchconfiguration": {"DisableIMDSv1": TRUE_OR_FALSE},
}
# From "Deploying applications" and "Configuration changes" there: values that also work with one instance.
FOR_ONE_INSTANCE_TOO = {"DeploymentPolicy": {"AllAtOnce", "Immutable"}, "RollingUpdateType": {"Immutable"}}


def option_settings() -> Iterator[tuple[str, str, str]]:
    for path in sorted((BASE_DIR / ".ebextensions").glob("*.config")):
        document = yaml.safe_load(path.read_text())
        assert set(document) == {"option_settings"}
        for namespace, options in document["option_settings"].items():
            for option, value in options.items():
                assert isinstance(value, str), f"{option}: YAML makes {value!r} of it"
                yield namespace, option, value


def test_option_settings_are_valid_beanstalk_options() -> None:
    found = list(option_settings())
    assert len(found) > 15
    for namespace, option, value in found:
        assert re.fullmatch(OPTIONS[namespace][option], value), f"{namespace} {option} = {value}"
        assert value in FOR_ONE_INSTANCE_TOO.get(option, {value}), option


def test_health_check_path_returns_expected_status(settings: Any) -> None:
    settings.SETUP_PROBLEM = "not configured yet"
    options = {option: value for _, option, value in option_settings()}
    answer = Client(headers={"host": "10.0.0.7"}).get(options["HealthCheckPath"])
    assert str(answer.status_code) == options["MatcherHTTPCode"]


HOOKS = [BASE_DIR / ".platform" / kind / "predeploy" / "10_keep_secret_key.sh" for kind in ("hooks", "confighooks")]


def runs(hook: Path, *arguments: Path, folder: Path | None = None) -> None:
    done = subprocess.run([hook, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.parts[-3])
def test_hook_copies_secret_key_with_mode_and_owner(hook: Path, tmp_path: Path) -> None:
    current, staging = tmp_path / "the current", tmp_path / "the staging"
    current.mkdir()
    staging.mkdir()
    key = current / ".secret_key"
    runs(hook, current, staging)  # first deployment: no key yet
    assert not list(staging.iterdir())
    key.write_text("k" * 50)
    key.chmod(0o600)
    owner = (4711, 4712) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    os.chown(key, *owner)
    runs(hook, current, folder=staging)  # as Beanstalk does, in the staging directory
    kept = staging / ".secret_key"
    assert list(staging.iterdir()) == [kept]
    assert (kept.read_text(), kept.stat().st_mode & 0o777) == ("k" * 50, 0o600)
    assert (kept.stat().st_uid, kept.stat().st_gid) == owner
    assert key.exists()


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.parts[-3])
def test_hook_keeps_existing_secret_key(hook: Path, tmp_path: Path) -> None:
    current, staging = tmp_path / "current", tmp_path / "staging"
    for folder, text in ((current, "old"), (staging, "new")):
        folder.mkdir()
        (folder / ".secret_key").write_text(text)
    runs(hook, current, staging)
    assert (staging / ".secret_key").read_text() == "new"


def test_hook_fails_deployment_if_key_cannot_be_copied(tmp_path: Path) -> None:
    (tmp_path / ".secret_key").write_text("k" * 50)
    done = subprocess.run([HOOKS[1], tmp_path, tmp_path / "none"], capture_output=True, text=True, check=False)
    assert done.returncode != 0


def test_hook_defaults_to_beanstalk_directories() -> None:
    text = HOOKS[0].read_text()
    assert "${1:-/var/app/current}/" in text
    assert "${2:-.}/" in text


@contextmanager
def unpacked_and_started(data: bytes, folder: Path) -> Iterator[dict[str, str]]:
    """Unpack the zip in ``folder`` and run its Procfile without CONFIG_FILE; yield the addresses of the processes."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(folder)
    clean = {key: value for key, value in os.environ.items() if key not in ("CONFIG_FILE", "PYTHONPATH")}
    addresses, processes = {}, []
    try:
        for name, command in re.findall(r"^(\w+): (.*)$", (folder / "Procfile").read_text(), re.MULTILINE):
            port = free_port()
            words = shlex.split(command.replace(str(bundle_check.PORTS[name]), str(port)))
            start = [sys.executable, "-m", *words, "--log-level", "critical"]
            processes.append(subprocess.Popen(start, cwd=folder, env=clean, stderr=subprocess.DEVNULL))
            addresses[name] = f"http://127.0.0.1:{port}"
            wait_for_port(port)
        yield addresses
    finally:
        for process in processes:
            process.terminate()
            process.wait(10)


def answer(address: str) -> tuple[int, str]:
    try:
        with urlopen(address, timeout=60) as found:
            return found.status, found.read().decode()
    except HTTPError as exc:
        with exc:
            return exc.code, exc.read().decode()


@pytest.mark.process
def test_unpacked_bundle_is_healthy_and_asks_for_config_file(built: bytes, tmp_path: Path) -> None:
    with unpacked_and_started(built, tmp_path) as addresses:
        assert answer(f"{addresses['web']}/healthz/") == (200, "ok\n")
        status, page = answer(f"{addresses['web']}/")
        assert (status, "CONFIG_FILE" in page) == (503, True)
        assert answer(f"{addresses['web']}/static/games/site.css")[0] == 200
        assert answer(f"{addresses['web']}/static/games/live.js")[0] == 200
        assert answer(f"{addresses['live']}/events/")[0] == 503
    assert (tmp_path / ".secret_key").exists()


# The Python platform's default configuration ("Using the Elastic Beanstalk Python platform", static files).
NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port};
    location /static {{ alias {folder}/static; }}
    location /static/ {{ alias {folder}/static/; }}
    include {folder}/static.conf;
  }}
}}
"""


@contextmanager
def nginx_before(web: str, folder: Path) -> Iterator[str]:
    nginx = Nginx(folder)
    piece = (BASE_DIR / ".platform/nginx/conf.d/elasticbeanstalk/static.conf").read_text()
    (folder / "static.conf").write_text(piece.replace("http://127.0.0.1:8000", web))
    nginx.start(NGINX)
    try:
        yield nginx.address
    finally:
        nginx.stop()


@pytest.mark.process
def test_nginx_proxies_static_files_despite_platform_alias(built: bytes, tmp_path: Path) -> None:
    with unpacked_and_started(built, tmp_path / "app") as addresses, nginx_before(addresses["web"], tmp_path) as site:
        for name in ("games/site.css", "games/live.js"):
            assert answer(f"{site}/static/{name}") == answer(f"{addresses['web']}/static/{name}")
            assert answer(f"{site}/static/{name}")[0] == 200


@pytest.mark.process
def test_management_commands_work_in_unpacked_bundle(built: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(built)) as archive:
        archive.extractall(tmp_path)
    for command in (["help"], ["check"], ["inspect_table", "--help"]):
        done = subprocess.run(
            [sys.executable, "manage.py", *command], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert " play" not in done.stdout
