"""Floods against nginx as the platform configures it: too many streams or forms, while everybody else plays on."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

import pytest
import requests

from games.match import Status
from tests.support.instances import Instance, instance
from tests.support.loops import run_aside
from tests.support.many import game_of, put
from tests.support.nginx import BALANCER, Nginx
from tests.support.streams import Stream, place, request
from tictactoe_site.config import BASE_DIR

pytestmark = [pytest.mark.process, pytest.mark.parametrize("engine", ["moto"], indirect=True)]

OF_ADDRESS, OF_SERVER = 100, 400
BURST, SLOW = 200, 200
FORM = "Content-Type: application/x-www-form-urlencoded"
# A class that begins: each of its players logs in, starts a game, and then moves every 3 s, for 30 s.
PLAYERS, FIRST, MOVES, PACE_SECONDS = 30, 3, 10, 3
NETWORK_SAYING = """
daemon off;
pid {folder}/nginx.pid;
events {{ }}
http {{
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  access_log off;
  include {limits};
  server {{
    listen 127.0.0.1:{port};
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Forwarded-For;
    location / {{ return 200 $client_network; }}
  }}
}}
"""
# More than one request of a client at a time, so that the burst is used up whatever the machine's speed.
AT_ONCE = 32


@pytest.fixture
def site(games_table: str, tmp_path: Path) -> Iterator[Instance]:
    with instance(games_table, tmp_path) as running:
        yield running


@pytest.fixture
def path(games_table: str) -> str:
    [game_id] = put([game_of(Status.IN_PROGRESS, 1, "alice", "bob")])
    return f"/games/{game_id}/"


class Opened(Stream):
    """A stream that puts itself into a queue once its status is known."""

    __slots__ = ("known",)

    def __init__(self, asked: bytes, known: "asyncio.Queue[Opened]") -> None:
        super().__init__(asked)
        self.known = known

    def answered(self) -> None:
        self.known.put_nowait(self)


def _same(stream: Opened) -> Opened:
    return stream


async def open_streams(site: Instance, asked: list[bytes], source: str, meanwhile: Callable[[], None]) -> Counter[int]:
    """Open all streams, keep them open while ``meanwhile`` runs, and return how many got which status."""
    known: asyncio.Queue[Opened] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    opened = []
    for each in asked:
        stream = Opened(each, known)
        await loop.create_connection(partial(_same, stream), *place(site.address), local_addr=(source, 0))
        opened.append(stream)
        await asyncio.wait_for(known.get(), 60)
    await asyncio.to_thread(meanwhile)
    for stream in opened:
        stream.leave()
    return Counter(stream.status for stream in opened)


def opened(site: Instance, asked: list[bytes], source: str, meanwhile: Callable[[], None]) -> Counter[int]:
    return run_aside(lambda: open_streams(site, asked, source, meanwhile))


def test_streams_leave_room_for_pages(site: Instance, path: str) -> None:
    """Each client has an address of its own. Without a limit, nginx would have no connection left after 500."""
    clients = [f"192.0.{number // 200}.{number % 200}" for number in range(600)]
    asked = [request(site.address, f"{path}events/", forwarded=client) for client in clients]
    pages = Counter[int]()

    def look() -> None:
        pages.update(get(site, page) for page in (path, "/", "/healthz/", "/accounts/login/") for _ in range(15))

    assert opened(site, asked, BALANCER, look) == {200: OF_SERVER, 503: 600 - OF_SERVER}
    assert pages == {200: 60}


def test_one_address_cannot_take_all_streams(site: Instance, path: str) -> None:
    asked = [request(site.address, f"{path}events/")] * (OF_ADDRESS + 20)
    others = Counter[int]()

    def another() -> None:
        more = [request(site.address, f"{path}events/", forwarded="192.0.2.7")]
        others.update(opened(site, more, BALANCER, lambda: None))

    assert opened(site, asked, "127.0.0.1", another) == {200: OF_ADDRESS, 503: 20}
    assert others == {200: 1}


def test_network_is_one_client(site: Instance, path: str) -> None:
    others = Counter[int]()

    def another() -> None:
        for client in ("2001:db8:1:2::9", "2001:db8:1:3::1"):
            more = [request(site.address, f"{path}events/", forwarded=client)]
            others.update(opened(site, more, BALANCER, lambda: None))

    clients = [f"2001:db8:1:2:{number:x}::1" for number in range(1, OF_ADDRESS + 1)]
    asked = [request(site.address, f"{path}events/", forwarded=client) for client in clients]
    assert opened(site, asked, BALANCER, another) == {200: OF_ADDRESS}
    assert others == {503: 1, 200: 1}


# As a client or a balancer may write them, and the network that nginx counts.
NETWORKS = {
    "2001:db8:1:2:3:4:5:6": "2001:db8:1:2:",
    "2001:DB8:1:2::1": "2001:db8:1:2:",
    "2001:db8:1:2:3::": "2001:db8:1:2:",
    "2001:db8:0:0:9:8:7:6": "2001:db8::",
    "2001:db8::1": "2001:db8::",
    "2001:db8:0:0:9:0:0:0": "2001:db8::",
    "2001:db8:1::1": "2001:db8:1::",
    "2001:db8:1:0:9:8:7:6": "2001:db8:1::",
    "2001:db8::1:2:3:4": "2001:db8::",
    "2001:0:0:1:2:3:4:5": "2001::1:",
    "::1": "::1",
    "::ffff:198.51.100.7": "198.51.100.7",
    "198.51.100.7": "198.51.100.7",
}


@pytest.mark.usefixtures("engine")
def test_networks_as_nginx_counts_them(tmp_path: Path) -> None:
    nginx = Nginx(tmp_path)
    try:
        nginx.start(NETWORK_SAYING, limits=BASE_DIR / ".platform/nginx/conf.d/limits.conf")
        said = {
            client: requests.get(
                f"http://127.0.0.1:{nginx.port}/", headers={"X-Forwarded-For": client}, timeout=60
            ).text
            for client in NETWORKS
        }
    finally:
        nginx.stop()
    assert said == NETWORKS


def test_slow_headers_and_bodies_stop_nobody(site: Instance, path: str) -> None:
    """nginx waits for them: each of the site's processes has far fewer threads than there are slow clients."""
    pages = Counter[int]()
    # Django reads the form of a browser that has the cookie.
    cookie = requests.get(f"{site.address}/", timeout=60).headers["Set-Cookie"].partition(";")[0]
    with ExitStack() as slow:
        for number in range(SLOW):
            head = request(site.address, f"{path}move/", cookie=cookie, forwarded=f"192.0.2.{number}").decode()
            form = head.replace("GET", "POST", 1).replace(
                "\r\n\r\n", f"\r\n{FORM}\r\nContent-Length: 40\r\n\r\nsquare="
            )
            for begun in (head[:-4], form):
                connection = socket.create_connection(place(site.address), source_address=(BALANCER, 0))
                slow.enter_context(connection).sendall(begun.encode())
        pages.update(get(site, page) for page in (path, "/", "/healthz/", "/accounts/login/") for _ in range(15))
    assert pages == {200: 60}


def get(site: Instance, page: str) -> int:
    with closing(HTTPConnection(*place(site.address), timeout=60)) as connection:
        connection.request("GET", page)
        return connection.getresponse().status


def test_flood_of_forms_is_429_for_its_address_only(site: Instance) -> None:
    """The forms lack a token, so the site refuses those that reach it with 403."""
    with ThreadPoolExecutor(AT_ONCE) as flood:
        answers = list(flood.map(lambda _: post(site, "/games/new/", "192.0.2.7"), range(4 * BURST)))
        statuses = Counter(status for status, _, _ in answers)
        assert statuses.keys() == {403, 429}
        assert statuses[403] >= BURST
        assert post(site, "/games/new/", "192.0.2.8")[0] == 403
        assert get(site, "/accounts/login/") == 200
    _, headers, text = next(answer for answer in answers if answer[0] == 429)
    assert text == "Too much came from your network address at once: try again in 5 seconds.\n"
    assert (headers["Retry-After"], headers["Content-Type"]) == ("5", "text/plain")


def post(site: Instance, page: str, client: str) -> tuple[int, dict[str, str], str]:
    with closing(HTTPConnection(*place(site.address), timeout=60, source_address=(BALANCER, 0))) as connection:
        connection.request("POST", page, headers={"X-Forwarded-For": client, "Content-Length": "0"})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read().decode()


def test_class_behind_one_address_is_never_refused(site: Instance) -> None:
    """The class begins all at once, then plays on. On a slow machine the forms come later, which is no harm."""

    def play(_: int) -> list[int]:
        statuses = [post(site, "/games/new/", "192.0.2.7")[0] for _ in range(FIRST)]
        for _ in range(MOVES):
            time.sleep(PACE_SECONDS)
            statuses.append(post(site, "/games/new/", "192.0.2.7")[0])
        return statuses

    with ThreadPoolExecutor(PLAYERS) as players:
        answers = Counter(status for statuses in players.map(play, range(PLAYERS)) for status in statuses)
    assert answers == {403: PLAYERS * (FIRST + MOVES)}
