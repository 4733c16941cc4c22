"""Requests to the site within this process, with their CPU time, beside a floor that makes the same DynamoDB calls."""

import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

from botocore.exceptions import ClientError
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import include, path

from dynamodb.client import shared_client
from tests.conftest import PASSWORD
from tests.support.pages import csrf_in
from tictactoe_site.config import DEFAULT_TABLE

Call = tuple[str, dict[str, Any]]
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "en-GB,en;q=0.5",
}


@dataclass(frozen=True)
class Request:
    """A request, and the id of the game that it changes, if it does."""

    method: str
    path: str
    form: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    changes: str = ""

    def environ(self, cookies: dict[str, str]) -> dict[str, Any]:
        where, _, query = self.path.partition("?")
        body = urlencode(self.form).encode()
        headers = BROWSER | {"Host": "127.0.0.1", "Cookie": "; ".join(map("=".join, cookies.items()))} | self.headers
        return {
            "REQUEST_METHOD": self.method,
            "PATH_INFO": where,
            "QUERY_STRING": query,
            "SCRIPT_NAME": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": "application/x-www-form-urlencoded" if body else "",
        } | {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes
    cookies: dict[str, str]
    seconds: float


class Start:
    """What the application says before the body: WSGI's ``start_response``."""

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        self.status, self.headers = int(status.split()[0]), headers


def answer(application: WSGIHandler, environ: dict[str, Any]) -> Answer:
    """Call the application like a server; ``seconds`` is the CPU time of this process."""
    start = Start()
    began = time.process_time()
    response = application(environ, start)
    body = b"".join(response)
    response.close()
    spent = time.process_time() - began
    found = SimpleCookie("; ".join(value for name, value in start.headers if name == "Set-Cookie"))
    cookies = {name: morsel.value for name, morsel in found.items() if morsel.value}
    return Answer(start.status, dict(start.headers), body, cookies, spent)


class Player:
    """A browser: of a visitor, or of a player who has just signed up."""

    def __init__(self, site: "Site", name: str = "") -> None:
        self.site, self.name = site, name
        self.cookies: dict[str, str] = {}
        if name:
            self.send(Request("GET", "/accounts/signup/"))
            self.send(self.post("/accounts/signup/", username=name, password=PASSWORD))

    def post(self, where: str, changes: str = "", headers: dict[str, str] | None = None, **form: str) -> Request:
        return Request("POST", where, form, {"X-CSRFToken": csrf_in(self.cookies)} | (headers or {}), changes)

    def send(self, request: Request) -> Answer:
        told = answer(self.site.application, request.environ(self.cookies))
        assert told.status < 400, (request, told)
        self.cookies |= told.cookies
        return told


class Site:
    """The site and its floor in this process."""

    def __init__(self) -> None:
        from tictactoe_site.wsgi import application

        self.client = shared_client()
        self.application = application
        with override_settings(MIDDLEWARE=[]):
            self.floor = WSGIHandler()
        self.calls: list[Call] = []
        self.client.meta.events.register("provide-client-params.dynamodb", self._note)

    def _note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.calls.append((model.name, params))

    def measure(self, request: Request, cookies: dict[str, str]) -> tuple[Answer, Answer]:
        """Return the answers of the site and of the floor, for which what the site wrote is undone."""
        item = {"TableName": DEFAULT_TABLE, "Key": {"GameId": {"S": request.changes or "-"}}}
        before = self.client.get_item(**item, ConsistentRead=True).get("Item")
        self.calls = []
        told = answer(self.application, request.environ(cookies))
        calls, self.calls = self.calls, []
        if before:
            self.client.put_item(TableName=DEFAULT_TABLE, Item=before)
        elif request.changes:
            self.client.delete_item(**item)
        environ = Request(request.method, "/floor/", request.form).environ(cookies)
        return told, answer(self.floor, environ | {"bench.calls": calls, "bench.client": self.client})


def repeat(request: HttpRequest) -> HttpResponse:
    """The floor's view. A conditional write that fails at the site fails here."""
    for name, params in request.META["bench.calls"]:
        with suppress(ClientError):
            request.META["bench.client"]._make_api_call(name, params)
    return HttpResponse("a constant")


# The site's addresses and the floor's, which has no name in the site.
urlpatterns = [path("floor/", repeat), path("", include("tictactoe_site.urls"))]
