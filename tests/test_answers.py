"""What answers instead of DynamoDB, or refuses to: each has a sentence that says what it is and what to do."""

import json
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from dynamodb import retries, startup
from dynamodb.client import shared_client, warm_up
from dynamodb.errors import StoreUnavailable
from dynamodb.reasons import unavailable
from games.storage import queries
from tests.support.engines import free_port
from tests.support.pages import JSON
from tictactoe_site import config, table

GAME = "00000000-0000-4000-8000-000000000000"
pytestmark = [pytest.mark.deployment, pytest.mark.parametrize("engine", ["moto"], indirect=True)]


@contextmanager
def server(status: int, body: bytes, folder: Path | None = None) -> Iterator[int]:
    """Answer each request with this, with the certificate in ``folder`` if it's given; yield the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        if folder:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(folder / "certificate", folder / "key")
            running.socket = context.wrap_socket(running.socket, server_side=True)
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running.server_port
        running.shutdown()


@pytest.fixture
def bind(games_table: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Return a function that binds the site to an address that is no engine's; bind it as before afterwards."""
    monkeypatch.setattr(retries, "LONGEST_PAUSE_SECONDS", 0.02)

    def bind(endpoint: str) -> None:
        table.bind(config.Config(endpoint=endpoint, access_key_id="x", secret_access_key="x"))
        warm_up()

    yield bind
    table.bind(config.for_endpoint(games_table, environ={}))
    warm_up()


def reason() -> str:
    with pytest.raises(StoreUnavailable) as refused:
        queries.game(GAME)
    return str(refused.value)


@pytest.mark.parametrize("status", [200, 301, 403, 407, 413])
@pytest.mark.parametrize("body", [b"{}", b"<html>Welcome to the hotel</html>", b'{"Table": {}}'])
def test_reply_of_something_else_is_503_and_named(bind: Callable[[str], None], status: int, body: bytes) -> None:
    with server(status, body) as port:
        bind(f"http://127.0.0.1:{port}")
        assert f"Something else than DynamoDB answers at http://127.0.0.1:{port} (HTTP status {status})" in reason()
        assert Client().get(f"/games/{GAME}/").status_code == 503
        assert "Something else" in startup.check().problems[0]


def certificate(folder: Path, name: str, *, days: int = 2) -> Path:
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(days), "-subj", f"/CN={name}"]
    command += ["-addext", f"subjectAltName=DNS:{name}", "-keyout", str(folder / "key"), "-out"]
    subprocess.run([*command, str(folder / "certificate")], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize(
    ("name", "bundle", "words"),
    [
        ("localhost", None, "isn't trusted (self-signed certificate): set AWS_CA_BUNDLE"),
        ("other.example", "certificate", "its certificate is for another host: correct [dynamodb] region or endpoint"),
        ("localhost", "nowhere", "The certificates in AWS_CA_BUNDLE can't be read (No such file or directory)"),
        ("localhost", "", "The certificates in AWS_CA_BUNDLE can't be read (Is a directory)"),
        ("localhost", "key", "The certificates in AWS_CA_BUNDLE can't be read (no certificate or crl found)"),
        ("localhost", "certificate", "Something else than DynamoDB answers"),
    ],
)
def test_each_tls_failure_is_named(
    bind: Callable[[str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    bundle: str | None,
    words: str,
) -> None:
    if bundle is not None:
        monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / bundle))
    with server(200, b"{}", certificate(tmp_path, name)) as port:
        bind(f"https://localhost:{port}")
        assert words in reason()


def test_proxy_that_leads_nowhere_is_named(bind: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    with server(407, b"") as port:
        monkeypatch.setenv("HTTP_PROXY", f"http://me:hush@127.0.0.1:{port}")
        bind("http://dynamodb.invalid")
        assert "(HTTP status 407), such as a proxy" in reason()
    for proxy, words in ((port, "(501 Unsupported method"), (free_port(), "(Connection refused)")):
        with ExitStack() as running:
            if proxy == port:
                proxy = running.enter_context(server(407, b""))
            monkeypatch.setenv("HTTPS_PROXY", f"http://me:hush@127.0.0.1:{proxy}")
            bind("https://dynamodb.invalid")
            assert f"@127.0.0.1:{proxy} doesn't lead to https://dynamodb.invalid {words}" in reason()
            assert "hush" not in reason()


def refused(code: str, message: str, **more: Any) -> Callable[..., Any]:
    """Return a botocore event handler that answers with this error instead of the service."""
    parsed = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}} | more
    return lambda **_: (type("Refusal", (), {"status_code": 400}), parsed)


REASONS = [{"reason": "IndexReadProvisionedThroughputExceeded", "resource": "arn:aws:dynamodb:us-west-2:1:table/Games"}]
OF_INDEX = [REASONS[0] | {"resource": f"{REASONS[0]['resource']}/index/HostId-StatusDate-index"}]


@pytest.mark.parametrize(
    ("code", "message", "more", "words"),
    [
        (
            "ThrottlingException",
            "",
            {"throttlingReasons": OF_INDEX},
            "to the index HostId-StatusDate-index of the table",
        ),
        (
            "ProvisionedThroughputExceededException",
            "",
            {"ThrottlingReasons": OF_INDEX},
            "the index HostId-StatusDate-index",
        ),
        ("ThrottlingException", "", {"throttlingReasons": REASONS}, "requests to the table Games"),
        (
            "ProvisionedThroughputExceededException",
            "The throughput configured for one or more global secondary indexes of the table was exceeded.",
            {},
            "requests to an index of the table Games",
        ),
        (
            "ThrottlingException",
            "It exceeds the current capacity of your table or index.",
            {},
            "requests to the table Games",
        ),
        ("RequestLimitExceeded", "", {}, "is throttling the whole account: wait"),
    ],
)
def test_what_is_throttled_is_named(
    bind: Callable[[str], None], games_table: str, code: str, message: str, more: dict[str, Any], words: str
) -> None:
    bind(games_table)
    shared_client().meta.events.register("before-call.dynamodb", refused(code, message, **more))
    assert words in reason()
    with pytest.raises(StoreUnavailable, match=words), unavailable():
        shared_client().get_item(TableName="Games", Key={"GameId": {"S": "x"}})


def test_invalid_write_is_not_to_be_tried_again(alice: Client, bob: Client) -> None:
    url = alice.post("/games/new/", {"opponent": "bob"})["Location"]
    bob.post(f"{url}accept/")
    events, refusal = shared_client().meta.events, refused("ValidationException", "no")
    events.register("before-call.dynamodb.UpdateItem", refusal)
    try:
        for headers in ({}, JSON, {"HX-Request": "true"}):
            answer = bob.post(f"{url}move/", {"square": "TopLeft"}, headers=headers)
            assert answer.status_code == 409
            assert "Retry-After" not in answer.headers
            said = answer.content.decode().replace("&#39;", "'").replace("&#x27;", "'")
            assert "The site can't save this" in said or "can't save this" in json.loads(said)["error"]
            assert "again" not in said.partition("can't save this")[2].partition("</main>")[0]
    finally:
        events.unregister("before-call.dynamodb.UpdateItem", refusal)


def test_many_requests_share_one_search_for_credentials(
    bind: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The metadata service is silent, and counts who asks."""
    for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(variable, str(tmp_path / "none"))
    for variable in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_EC2_METADATA_DISABLED"):
        monkeypatch.delenv(variable, raising=False)
    asked: list[str] = []

    class Silent(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            asked.append(self.path)
            stop.wait()

        do_GET = do_PUT  # noqa: N815

    stop = threading.Event()
    with ThreadingHTTPServer(("127.0.0.1", 0), Silent) as service:
        threading.Thread(target=service.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"http://127.0.0.1:{service.server_port}")
        table.bind(config.Config())
        warm_up()
        with ThreadPoolExecutor(30) as crowd:
            answers = list(crowd.map(lambda _: Client().get(f"/games/{GAME}/").status_code, range(30)))
        stop.set()
        service.shutdown()
    assert answers == [503] * 30
    assert 0 < len(asked) < 10
    assert "There are no AWS credentials" in reason()
