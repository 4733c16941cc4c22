"""Readiness: each problem that keeps the site from working has a message that says what to do."""

import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from dynamodb import probes, provisioning, retries, schema, startup
from dynamodb.client import shared_client, warm_up
from dynamodb.items import where
from tests.conftest import drop_table
from tests.support.engines import dynamodb_local, free_port
from tests.support.faults import Faults, faulty
from tests.support.iam import Account, account
from tests.support.processes import comes_true
from tests.support.sites import configured_for, gunicorn, serving
from tictactoe_site import config, table
from tictactoe_site.table import Item

pytestmark = pytest.mark.deployment

RUNNING = {
    "dynamodb:DescribeTable",
    "dynamodb:DescribeTimeToLive",
    "dynamodb:GetItem",
    "dynamodb:BatchGetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:Query",
}
LESSER = {"dynamodb:DescribeTimeToLive"}
CARE = {"dynamodb:UpdateTimeToLive", "dynamodb:UpdateContinuousBackups", "dynamodb:UpdateTable"}
CREATING = RUNNING | CARE | {"dynamodb:CreateTable"}


@pytest.fixture(autouse=True)
def as_at_start(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Reset what startup knows and has logged, and capture INFO messages too."""
    monkeypatch.setattr(startup, "creation", provisioning.Creation())
    monkeypatch.setattr(startup, "_rest", startup._Kept())
    monkeypatch.setattr(startup, "_news", startup._News())
    caplog.set_level(logging.INFO, "dynamodb")


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the pauses between attempts, and between checks."""
    monkeypatch.setattr(startup, "FIRST_PAUSE_SECONDS", 0)
    monkeypatch.setattr(startup, "NOT_FINE_SECONDS", 0)
    monkeypatch.setattr(startup, "FINE_SECONDS", 0)


def bind(to: config.Config) -> None:
    table.bind(to)
    warm_up()


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Return what dynamodb.startup logged, without Django's own line for each 503."""
    return [(record.levelname, record.message) for record in caplog.records if record.name == "dynamodb.startup"]


@pytest.fixture
def bound(games_table: str) -> Iterator[str]:
    """Yield the engine's address to a test that rebinds the models; bind them as before afterwards."""
    yield games_table
    bind(config.for_endpoint(games_table, environ={}))


def ready() -> tuple[int, dict[str, Any]]:
    answer = Client().get("/readyz/")
    return answer.status_code, answer.json()


def problems() -> list[str]:
    status, answer = ready()
    assert status == 503, answer
    assert answer["error"] == " ".join(answer["problems"])
    return list(answer["problems"])


def inspect(*arguments: str) -> tuple[str, str]:
    """Run inspect_table; return its output and its error message."""
    out, err = StringIO(), StringIO()
    try:
        call_command("inspect_table", *arguments, stdout=out, stderr=err)
    except CommandError as exc:
        return out.getvalue() + err.getvalue(), str(exc)
    return out.getvalue() + err.getvalue(), ""


@pytest.fixture(scope="module")
def enforcing() -> Iterator[Account]:
    with account() as running:
        table.bind(config.for_endpoint(running.address, environ={}), patient=True)
        provisioning.create(lambda line: None)
        yield running


@pytest.fixture
def allowed(enforcing: Account) -> Account:
    """Bind the site to an existing table, with all permissions of a running site."""
    enforcing.allow_actions(RUNNING)
    bind(enforcing.config)
    return enforcing


def test_ready_with_every_running_action(allowed: Account, caplog: pytest.LogCaptureFixture) -> None:
    assert ready() == (200, {"status": "ok", "table": "Games"})
    assert logged(caplog) == [("INFO", "Ready: the table Games answers.")]
    printed, problem = inspect("--probe")
    assert (printed.count(": allowed"), problem) == (7, "")
    assert "Everything is as expected." in printed


@pytest.mark.parametrize("action", sorted(RUNNING - LESSER))
def test_each_refused_action_is_named_in_readyz_log_and_command(
    allowed: Account, action: str, caplog: pytest.LogCaptureFixture
) -> None:
    allowed.allow_actions(RUNNING - {action})
    found = problems()
    assert all(f"refuses {action}: allow it in the role's policy" in problem for problem in found)
    assert len(found) == (2 if action == "dynamodb:Query" else 1)
    assert all("Until then" in problem for problem in found)
    assert logged(caplog) == [("ERROR", f"Not ready: {' '.join(found)}")]
    printed, problem = inspect("--probe")
    assert action in problem
    assert printed.count("REFUSED") == (0 if action == "dynamodb:DescribeTable" else len(found))
    assert "Everything is as expected." not in printed


def test_inspect_probe_json_lists_permissions(allowed: Account) -> None:
    described = ("DescribeTable", "DescribeTimeToLive", "DescribeContinuousBackups")
    allowed.allow_actions({f"dynamodb:{action}" for action in described})
    printed, problem = inspect()
    assert (problem, "action" in printed) == ("", False)
    printed, problem = inspect("--probe", "--json")
    actions = json.loads(printed)["actions"]
    assert [action["allowed"] for action in actions] == [False] * 7
    assert {action["action"] for action in actions} == RUNNING - {"dynamodb:DescribeTable"} - LESSER
    assert [action["index"] for action in actions][-2:] == ["HostId-StatusDate-index", "OpponentId-StatusDate-index"]


def test_without_permissions_all_actions_are_named_at_once(allowed: Account) -> None:
    allowed.allow_actions({"dynamodb:ListTables"})
    assert len(problems()) == 8
    assert "123456789012" not in str(ready()), "moto's account number, and /readyz/ is public"
    assert "arn:" not in str(ready())


def test_refused_optional_action_is_a_note(allowed: Account) -> None:
    allowed.allow_actions(RUNNING - LESSER)
    status, answer = ready()
    assert status == 200
    assert ["refuses dynamodb:DescribeTimeToLive" in note for note in answer["notes"]] == [True]
    printed, problem = inspect()
    assert "ttl        unknown" in printed
    assert "refuses dynamodb:DescribeTimeToLive" in printed
    assert problem == ""


def test_fixed_problem_is_noticed_and_logged_once(
    allowed: Account, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed.allow_actions(RUNNING - {"dynamodb:PutItem"})
    monkeypatch.setattr(startup, "NOT_FINE_SECONDS", 0)
    for _ in range(3):
        assert ready()[0] == 503
    allowed.allow_actions(RUNNING)
    for _ in range(3):
        assert ready()[0] == 200
    assert [level for level, _ in logged(caplog)] == ["ERROR", "WARNING"]


@pytest.fixture
def sent(bound: str) -> list[str]:
    """Return the list in which calls of the site are noted, made by this test's own client."""
    bind(config.for_endpoint(bound, environ={}))
    calls: list[str] = []

    def note(model: Any, **_: Any) -> None:
        calls.append(model.name)

    shared_client().meta.events.register("before-call.dynamodb", note)
    return calls


def test_repeated_readyz_probes_only_once(sent: list[str]) -> None:
    for _ in range(5):
        assert ready()[0] == 200
    assert sent.count("DescribeTable") == 5, "free, and the way to see an outage at once"
    assert len(sent) == 5 + 8


def test_probes_write_nothing(sent: list[str]) -> None:
    before = list(Item.scan())
    assert [problem for _, problem in probes.try_actions()] == [""] * 7
    assert list(Item.scan()) == before


def refused_by(code: str, message: str = "") -> Callable[..., Any]:
    """Return a botocore event handler that answers with this error instead of the service."""
    parsed = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return lambda **_: (type("Refusal", (), {"status_code": 400}), parsed)


DENIED = (
    "User: arn:aws:sts::123456789012:assumed-role/site/i-0 is not authorized to perform: dynamodb:PutItem on "
    "resource: arn:aws:dynamodb:us-west-2:123456789012:table/Games "
)


@pytest.mark.parametrize("engine", ["moto"], indirect=True)
@pytest.mark.parametrize(
    ("code", "message", "words"),
    [
        ("UnrecognizedClientException", "The security token included in the request is invalid.", "enable the region"),
        ("ExpiredTokenException", "The security token included in the request is expired", "renew them"),
        (
            "InvalidSignatureException",
            "Signature expired: 20261124T1 is now earlier than 20261124T2",
            "This server's clock",
        ),
        ("InvalidSignatureException", "Signature not yet current: 20261124T1", "This server's clock"),
        ("InvalidSignatureException", "The request signature we calculated does not match", "correct them"),
        ("RequestExpired", "", "This server's clock"),
        ("ThrottlingException", "Rate exceeded", "is throttling DescribeTable: wait"),
        (
            "AccessDeniedException",
            DENIED + "with an explicit deny in a service control policy",
            "deny from the service control policy",
        ),
        (
            "AccessDeniedException",
            DENIED + "because no VPC endpoint policy allows the dynamodb:PutItem action",
            "in the VPC endpoint policy",
        ),
        (
            "AccessDeniedException",
            DENIED + "because no identity-based policy allows the dynamodb:PutItem action",
            "allow it in the role's policy",
        ),
        ("AccessDeniedException", "", "refuses dynamodb:DescribeTable"),
        ("SomethingNew", "Account 123456789012 is closed.", "answered SomethingNew: Account (a number) is closed."),
        ("SomethingNew", "arn:aws:iam::123456789012:role/site is odd", "answered SomethingNew: (an ARN) is odd"),
    ],
)
def test_each_service_error_has_its_own_message(sent: list[str], code: str, message: str, words: str) -> None:
    shared_client().meta.events.register("before-call.dynamodb.DescribeTable", refused_by(code, message))
    found = problems()
    assert words in found[0]
    assert "123456789012" not in str(found)
    assert "assumed-role" not in str(found)
    assert words in inspect()[1]


@pytest.mark.parametrize("engine", ["moto"], indirect=True)
def test_each_connection_failure_has_its_own_message(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_PAUSE_SECONDS", 0)
    for endpoint, words in {
        f"http://127.0.0.1:{free_port()}": "nothing accepts connections",
        bound.replace("http://", "https://"): "write http://",
        "https://dynamodb.us-wset-2.invalid": "has no address in DNS: correct [dynamodb] region or endpoint",
    }.items():
        bind(config.Config(endpoint=endpoint, access_key_id="x", secret_access_key="x"))
        assert words in problems()[0]
        assert words in inspect()[1]


@pytest.mark.parametrize("engine", ["moto"], indirect=True)
@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "There are no AWS credentials: give the instance a profile"),
        ({"AWS_PROFILE": "nobodys"}, "The AWS credentials can't be read: The config profile (nobodys)"),
        ({"AWS_ACCESS_KEY_ID": "x"}, "The AWS credentials can't be read: Partial credentials"),
        ({"AWS_PROFILE": "late"}, "The AWS credentials arrived already expired"),
        ({"AWS_PROFILE": "failing"}, "The AWS credentials can't be read"),
    ],
)
def test_missing_or_broken_credentials_are_explained(
    bound: str, tmp_path: Path, environ: dict[str, str], words: str
) -> None:
    late = '{"Version": 1, "AccessKeyId": "x", "SecretAccessKey": "x", "Expiration": "2001-01-01T00:00:00Z"}'
    (tmp_path / "late.json").write_text(late)
    processes = {"late": f"cat {tmp_path}/late.json", "failing": "false"}
    profiles = [f"[profile {name}]\ncredential_process = {process}\n" for name, process in processes.items()]
    (tmp_path / "config").write_text("".join(profiles))
    nowhere = {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"), "AWS_EC2_METADATA_DISABLED": "true"}
    with pytest.MonkeyPatch.context() as patched:
        for key, value in (nowhere | {"AWS_CONFIG_FILE": str(tmp_path / "config")} | environ).items():
            patched.setenv(key, value)
        table.bind(config.Config(endpoint=bound))
        assert words in problems()[0]
        assert words in inspect()[1]


@pytest.fixture
def other_table(bound: str) -> Iterator[str]:
    """Bind the site to a table that doesn't exist yet; yield its name."""
    name = "ReadyGames"
    bind(config.for_endpoint(bound, base=config.Config(table=name), environ={}))
    yield name
    if provisioning.describe():
        drop_table(name)


def test_missing_table_error_names_the_endpoint(other_table: str) -> None:
    assert [f"{where()} has no table {other_table}: run manage.py create_table" in text for text in problems()] == [
        True
    ]
    assert "correct [dynamodb] region or table in CONFIG_FILE" in inspect()[1]


def test_table_created_meanwhile_is_seen_at_once(other_table: str) -> None:
    assert len(problems()) == 1
    provisioning.create(lambda line: None)
    assert ready() == (200, {"status": "ok", "table": other_table})


def test_deleted_table_is_not_recreated(other_table: str, no_pauses: None) -> None:
    startup.get_ready()
    drop_table(other_table)
    assert comes_true(lambda: provisioning.describe() is None)
    assert "run manage.py create_table" in problems()[0]


def another_key(request: dict[str, Any]) -> None:
    request["KeySchema"] = [{"AttributeName": "HostId", "KeyType": "HASH"}]
    request["AttributeDefinitions"] = [
        each for each in request["AttributeDefinitions"] if each["AttributeName"] != "GameId"
    ]


def a_sort_key(request: dict[str, Any]) -> None:
    request["KeySchema"].append({"AttributeName": "StatusDate", "KeyType": "RANGE"})


def a_number(request: dict[str, Any]) -> None:
    for definition in request["AttributeDefinitions"]:
        definition["AttributeType"] = "N" if definition["AttributeName"] == "GameId" else "S"


def one_index(request: dict[str, Any]) -> None:
    request["GlobalSecondaryIndexes"].pop()
    request["AttributeDefinitions"] = [
        each for each in request["AttributeDefinitions"] if each["AttributeName"] != "OpponentId"
    ]


def another_index_key(request: dict[str, Any]) -> None:
    request["GlobalSecondaryIndexes"][0]["KeySchema"][1]["AttributeName"] = "OpponentId"


def keys_only(request: dict[str, Any]) -> None:
    request["GlobalSecondaryIndexes"][0]["Projection"] = {"ProjectionType": "KEYS_ONLY"}


@pytest.mark.parametrize(
    ("differ", "words"),
    [
        (another_key, "The key of the table is HostId (partition key), not GameId (partition key)."),
        (
            a_sort_key,
            "The key of the table is GameId (partition key), StatusDate (sort key), not GameId (partition key).",
        ),
        (a_number, "The key attribute GameId has type N, not S."),
        (one_index, "The index OpponentId-StatusDate-index is missing."),
        (
            another_index_key,
            "The key of the index HostId-StatusDate-index is HostId (partition key), OpponentId (sort key), not",
        ),
        (keys_only, "The index HostId-StatusDate-index doesn't project OpponentId, Result, ExpiresAt, Computer."),
    ],
)
def test_table_with_other_schema_is_reported_and_untouched(
    other_table: str, differ: Callable[[dict[str, Any]], None], words: str, no_pauses: None
) -> None:
    request = schema.request()
    differ(request)
    shared_client().create_table(**request)
    calls: list[str] = []
    shared_client().meta.events.register("before-call.dynamodb", lambda model, **_: calls.append(model.name))
    found = problems()
    assert len(found) == 1
    assert words in found[0]
    assert "choose another" in found[0]
    startup.creation.attempt()
    assert words in inspect("--probe")[0]
    assert set(calls) <= {"DescribeTable", "DescribeTimeToLive", "DescribeContinuousBackups"}


@pytest.fixture
def nothing_there() -> Iterator[Account]:
    """Bind the site to an account without a table, with all permissions; yield the account."""
    with account() as running:
        running.allow_actions(CREATING)
        bind(running.config)
        yield running


def test_startup_names_missing_permissions_and_completes_later(
    nothing_there: Account, no_pauses: None, caplog: pytest.LogCaptureFixture
) -> None:
    """Grant permissions step by step, as an operator would who reads what is missing."""
    nothing_there.allow_actions(CREATING - CARE - {"dynamodb:CreateTable"})
    assert startup.creation.attempt()
    [problem] = problems()
    assert "refuses dynamodb:CreateTable: allow it in the role's policy" in problem
    assert "Or run manage.py create_table" in problem
    assert "keeps trying" in problem
    nothing_there.allow_actions(CREATING - CARE)
    assert startup.creation.attempt()
    status, answer = ready()
    assert status == 200
    notes = " ".join(answer["notes"])
    for action, what in {
        "UpdateTimeToLive": "TTL",
        "UpdateContinuousBackups": "Point-in-time recovery",
        "UpdateTable": "Deletion protection",
    }.items():
        assert f"{what}: not set. " in notes
        assert f"refuses dynamodb:{action}" in notes
    nothing_there.allow_actions(CREATING)
    startup.get_ready()
    assert ready() == (200, {"status": "ok", "table": "Games"})
    assert "refuses dynamodb:CreateTable" in caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("code", ["ThrottlingException", "LimitExceededException"])
def test_throttled_creation_is_logged_once_and_retried(
    code: str, other_table: str, no_pauses: None, caplog: pytest.LogCaptureFixture
) -> None:
    refuse, refused = refused_by(code, "Subscriber limit exceeded"), []

    def throttle(**_: Any) -> Any:
        refused.append(code)
        return refuse() if len(refused) <= 3 else None

    shared_client().meta.events.register("before-call.dynamodb.CreateTable", throttle)
    assert startup.creation.attempt()
    [problem] = problems()
    assert "keeps trying to create it" in problem
    assert "wait" in problem
    startup.get_ready()
    assert len(refused) == 4
    assert ready() == (200, {"status": "ok", "table": other_table})
    assert [level for level, _ in logged(caplog)] == ["ERROR", "WARNING"]


def test_concurrent_readyz_requests_probe_once(sent: list[str]) -> None:
    with ThreadPoolExecutor(20) as crowd:
        answers = list(crowd.map(lambda _: ready()[0], range(20)))
    assert answers == [200] * 20
    assert sent.count("PutItem") == 1


@pytest.fixture
def empty() -> Iterator[str]:
    """Yield the address of a DynamoDB Local without a table."""
    with dynamodb_local() as address:
        yield address


def comes_ready(address: str) -> bool:
    return comes_true(lambda: requests.get(f"{address}/readyz/", timeout=60).status_code == 200)


@pytest.mark.process
def test_unconfigured_server_explains_config_file_and_then_works(
    empty: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    with gunicorn(port, CONFIG_FILE="") as (address, _):
        assert requests.get(f"{address}/healthz/", timeout=60).status_code == 200
        for path in ("/", "/games/new/", "/accounts/login/"):
            answer = requests.get(f"{address}{path}", timeout=60)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
            for words in ("Updates, monitoring, and logging", "Environment properties", "eb setenv CONFIG_FILE="):
                assert words in answer.text
        assert "CONFIG_FILE is not set" in requests.get(f"{address}/readyz/", timeout=60).json()["error"]
    assert "CONFIG_FILE is not set" in capfd.readouterr().out
    with gunicorn(port, CONFIG_FILE=configured_for(empty, tmp_path)) as (address, _):
        assert comes_ready(address)
        assert requests.get(f"{address}/", timeout=60).status_code == 200


@pytest.mark.process
def test_server_started_throttled_logs_once_and_creates_table_later(
    empty: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with (
        faulty(empty, Faults(throttle=1)) as proxy,
        serving(CONFIG_FILE=configured_for(proxy.address, tmp_path)) as site,
    ):
        for _ in range(2):
            answer = requests.get(f"{site}/readyz/", timeout=60)
            assert answer.status_code == 503
            assert "throttling DescribeTable: wait" in answer.json()["error"]
        proxy.set(Faults())
        assert comes_ready(site)
    log = capfd.readouterr().out
    assert log.count(f"Not ready: {proxy.address} is throttling") == 1
    assert log.count("Ready: the table Games answers.") == 1
    assert "Traceback" not in log


@pytest.mark.process
def test_server_without_permissions_recovers_without_restart(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with account() as running:
        running.allow_actions({"dynamodb:DescribeTable"})
        file = tmp_path / "site.config"
        file.write_text(
            f"[dynamodb]\nregion = us-west-2\nendpoint = {running.address}\n"
            f"access_key_id = {running.config.access_key_id}\nsecret_access_key = {running.config.secret_access_key}\n"
            f"[django]\nsecret_key = {'x' * 40}\nallowed_hosts = 127.0.0.1\n"
        )
        with serving(CONFIG_FILE=str(file)) as site:
            assert comes_true(lambda: "refuses dynamodb:CreateTable" in requests.get(f"{site}/readyz/").text)
            assert requests.get(f"{site}/healthz/", timeout=60).status_code == 200
            running.allow_actions(CREATING)
            assert comes_ready(site)
            assert requests.get(f"{site}/", timeout=60).status_code == 200
    log = capfd.readouterr().out
    assert "refuses dynamodb:CreateTable" in log
    assert "Ready: the table Games answers." in log
    assert "Traceback" not in log
