"""``manage.py play`` starts, prints its URL, serves concurrent requests, and stops without leaving processes."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.support.engines import free_port, wait_for_port
from tests.support.players import Player
from tests.support.processes import children_of, ends
from tests.support.sites import manage, only_one_plays, playing
from tictactoe_site.config import BASE_DIR

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("alone")]


@pytest.fixture
def alone() -> Iterator[None]:
    with only_one_plays():
        yield


def get(url: str, accept: str = "text/html") -> str:
    with urlopen(Request(url, headers={"Accept": accept}), timeout=60) as answer:
        return str(answer.read().decode())


def test_play_prints_url_and_that_games_are_in_memory() -> None:
    clean = {key: value for key, value in os.environ.items() if key != "CONFIG_FILE"}
    command = [sys.executable, "manage.py", "play", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=BASE_DIR, env=clean
    ) as process:
        assert process.stdout
        line = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert re.fullmatch(
        r"Playing at http://127\.0\.0\.1:\d+/ \(games are in memory.*ENDPOINT.*\)\. Press Ctrl-C to stop\.\n", line
    )
    assert (out, err, process.returncode) == ("", "", 0)


def test_commands_use_table_of_running_play() -> None:
    with playing() as (address, _):
        alice = Player(address, name="alice")
        path = alice.invite("bob")
        listed = manage("list_games", "--player", "alice")
        assert path.split("/")[2] in listed.stdout
        assert listed.stderr.startswith("Using the table of the running `make run`, at http://127.0.0.1:")
        assert manage("inspect_table", "-v", "0").stderr == ""
    ended = manage("list_games")
    assert (ended.returncode, "CONFIG_FILE is not set" in ended.stderr) == (2, True)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_survives_any_signal(how: signal.Signals) -> None:
    with playing() as (address, process):
        assert "Tic-Tac-Toe" in get(address)
        family = [process.pid, *children_of(process.pid)]
        assert len(family) == 3  # gunicorn's master, its worker, and the embedded DynamoDB
        process.send_signal(how)
        process.wait(timeout=60)
        assert ends(family)


@pytest.mark.parametrize("after", [0.3, 0.6, 0.9, 1.2])
def test_ctrl_c_during_startup_shows_no_traceback(after: float) -> None:
    command = [sys.executable, "manage.py", "play", "--port", "0"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, cwd=BASE_DIR, start_new_session=True
    ) as process:
        time.sleep(after)
        family = [process.pid, *children_of(process.pid)]
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert "Traceback" not in err
        assert ends(family)


def test_ctrl_c_stops_at_once_despite_idle_connections() -> None:
    clean = {key: value for key, value in os.environ.items() if key != "CONFIG_FILE"}
    command = [sys.executable, "manage.py", "play", "--port", "0"]
    pipe = subprocess.PIPE
    started = subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, cwd=BASE_DIR, env=clean, start_new_session=True
    )
    with started as process:
        assert process.stdout
        host, port = re.findall(r"//(.*):(\d+)/", process.stdout.readline())[0]
        idle = [socket.create_connection((host, int(port))) for _ in range(6)]
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
        for connection in idle:
            connection.close()
    # gunicorn would report on stderr if it had to kill its worker.
    assert (out, err, process.returncode) == ("", "", 0)


def test_closed_terminal_stops_play() -> None:
    with playing(errors=subprocess.PIPE) as (_, process):
        family = [process.pid, *children_of(process.pid)]
        process.send_signal(signal.SIGHUP)
        process.wait(timeout=60)
        assert process.stderr
        assert "Traceback" not in process.stderr.read()
        assert ends(family)


def test_nohup_survives_a_closed_terminal() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with playing() as (address, process):
            family = [process.pid, *children_of(process.pid)]
            for pid in family:
                os.kill(pid, signal.SIGHUP)
            assert "Press a square to begin" in get(address)
            assert [process.pid, *children_of(process.pid)] == family
    finally:
        signal.signal(signal.SIGHUP, before)


def test_play_works_without_space_for_its_output() -> None:
    command = [sys.executable, "manage.py", "play", "--port", str(port := free_port())]
    with Path("/dev/full").open("w") as full, subprocess.Popen(command, stdout=full, cwd=BASE_DIR) as process:
        wait_for_port(port)
        assert '"status": "ok"' in get(f"http://127.0.0.1:{port}/readyz/")
        process.terminate()


def test_idle_connections_do_not_block_requests() -> None:
    with playing() as (address, _):
        host, port = re.findall(r"//(.*):(\d+)", address)[0]
        idle = [socket.create_connection((host, int(port))) for _ in range(50)]
        with ThreadPoolExecutor(20) as pool:
            pages = list(pool.map(get, [address] * 100))
        for connection in idle:
            connection.close()
    assert all("Press a square to begin" in page for page in pages)


def test_taken_port_exits_with_1_and_message() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "manage.py", "play", "--port", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=BASE_DIR, timeout=30, check=False)
    assert done.returncode == 1
    assert "PORT=" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_endpoint_option_replaces_embedded_dynamodb(engine: str) -> None:
    with playing("--endpoint", engine) as (address, process):
        assert '"status": "ok"' in get(f"{address}readyz/")
        assert len(children_of(process.pid)) == 1  # no embedded DynamoDB


@pytest.fixture
def config_file(tmp_path: Path, engine: str) -> str:
    path = tmp_path / "site.config"
    path.write_text(f"[dynamodb]\nregion = us-west-2\nendpoint = {engine}\n[django]\nallowed_hosts = play.example\n")
    return str(path)


def test_config_file_sets_table_and_hosts(config_file: str) -> None:
    with playing(CONFIG_FILE=config_file) as (address, _):
        assert '"table": "Games"' in get(f"{address}readyz/")
        with urlopen(Request(address, headers={"Host": "play.example"}), timeout=60) as answer:
            assert answer.status == 200


def test_https_setting_is_ignored_by_play(config_file: str) -> None:
    with Path(config_file).open("a") as file:
        file.write("https = yes\n")
    with playing(CONFIG_FILE=config_file) as (address, _), urlopen(f"{address}accounts/login/", timeout=60) as page:
        assert page.url.startswith("http://")
        assert "Secure" not in page.headers["Set-Cookie"]


OF_OTHER_TOOLS = {
    "HTTP_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "AWS_REGION": "us west",
    "AWS_RETRY_MODE": "forever",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "DJANGO_SETTINGS_MODULE": "other.settings",
    "PYTHONSAFEPATH": "1",
    "WEB_CONCURRENCY": "many",
}


@pytest.mark.parametrize(
    "credentials", [{"AWS_PROFILE": "nobodys"}, {"AWS_ACCESS_KEY_ID": "x"}, {"AWS_CONFIG_FILE": "broken"}], ids=str
)
def test_environment_and_folder_do_not_matter(tmp_path: Path, credentials: dict[str, str]) -> None:
    (tmp_path / "broken").write_text("[default")
    environ: Any = OF_OTHER_TOOLS | credentials
    with playing(folder=tmp_path, **environ) as (address, process):
        assert '"status": "ok"' in get(f"{address}readyz/")
        assert len(children_of(process.pid)) == 2
        # The commands of this table, too.
        assert manage("list_games", **environ).returncode == 0


def test_make_takes_its_values_from_its_command_line() -> None:
    dry = ["make", "--no-print-directory", "--dry-run", "--always-make", "run"]
    environ = os.environ | {
        "MAKEFLAGS": "",
        "HOST": "x86_64-conda-linux-gnu",
        "PORT": "x",
        "ENDPOINT": "x",
        "PYTHON": "/nowhere",
    }
    done = subprocess.run(dry, cwd=BASE_DIR, env=environ, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1].strip().endswith("manage.py play --port 8080 --host 127.0.0.1")
    assert "/nowhere" not in done.stdout
    assert "pip install --no-user" in done.stdout


def test_make_hides_settings_of_other_tools_from_python() -> None:
    hidden = {"PYTHONPATH": "x", "PYTHONHOME": "x", "PIP_TARGET": "x", "DJANGO_SETTINGS_MODULE": "x"}
    recipe = "include Makefile\nprobe:\n\t@env\n"
    probe = ["make", "--file", "-", "probe"]
    done = subprocess.run(
        probe, input=recipe, cwd=BASE_DIR, env=os.environ | hidden, capture_output=True, text=True, check=True
    )
    assert not {line.partition("=")[0] for line in done.stdout.splitlines()} & set(hidden)
