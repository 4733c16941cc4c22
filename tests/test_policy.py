"""The policies that ``iam_policy`` prints allow everything the site needs and nothing more.

moto checks actions but not resources, so we take the tables that are used from the requests themselves.
"""

import asyncio
import json
import re
import runpy
import threading
import uuid
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import Session
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from beanstalk import policy
from beanstalk.management.commands import iam_policy
from dynamodb import probes, provisioning
from dynamodb.client import shared_client
from dynamodb.items import TableItem
from games.live.application import Live
from tests.support import iam
from tests.support.iam import ACCOUNT, REGION, Account, pairs
from tests.support.loops import run_aside
from tests.support.sites import manage
from tests.test_moves import play
from tictactoe_site import config

pytestmark = pytest.mark.deployment

NEW = {"password": "correct horse battery"}
DESCRIBING = ("DescribeTable", "DescribeTimeToLive", "DescribeContinuousBackups")
PLACED = ("--account", "123456789012", "--region", "us-west-2")


@pytest.fixture(scope="module")
def server() -> Iterator[Account]:
    with iam.account() as account:
        yield account


@pytest.fixture
def account(server: Account) -> Account:
    """Bind the site to an account without the table, as a first deployment finds it; return the account."""
    server.allow_everything()
    server.use(f"Games-{uuid.uuid4()}")
    return server


@pytest.fixture
def place(account: Account) -> policy.Table:
    return policy.Table(ACCOUNT, REGION, TableItem.Meta.table_name)


@pytest.fixture
def alice(account: Account) -> Client:
    provisioning.create(lambda line: None)
    return player("alice")


@pytest.fixture
def bob(alice: Client) -> Client:
    return player("bob")


@pytest.fixture
def game(alice: Client, bob: Client) -> str:
    """Return the URL of a running game in which bob is to move."""
    return accepted(alice, bob)


def player(name: str, way: str = "signup") -> Client:
    client = Client()
    answer = client.post(f"/accounts/{way}/", NEW | {"username": name})
    assert answer.status_code == 303, answer.content.decode()
    return client


def invited(host: Client) -> str:
    return str(host.post("/games/new/", {"opponent": "bob"})["Location"])


def accepted(host: Client, bob: Client) -> str:
    address = invited(host)
    assert bob.post(f"{address}accept/").status_code == 303
    return address


def run(*arguments: str) -> str:
    """Return everything the command prints, including its error."""
    said = StringIO()
    try:
        call_command(*arguments, stdout=said, stderr=said)
    except CommandError as exc:
        said.write(str(exc))
    return said.getvalue()


def printed(*arguments: str) -> Any:
    return json.loads(run("iam_policy", *arguments))


@pytest.fixture
def start(settings: Any) -> Callable[[], None]:
    """Return a function that starts the site as a server does, and waits for its background threads to end."""

    def starting() -> None:
        before = set(threading.enumerate())
        settings.CONFIG, unset = config.Config(), settings.CONFIG
        runpy.run_module("tictactoe_site.wsgi")
        settings.CONFIG = unset
        for thread in set(threading.enumerate()) - before:
            thread.join(10)
            assert not thread.is_alive()

    return starting


async def first_event(path: str) -> bytes:
    """Return the beginning of a stream, up to its first event, from a ``live`` process run within this one."""
    live, orders, said, idle = Live(), asyncio.Queue[Any](), asyncio.Queue[Any](), asyncio.Queue[Any]()
    await orders.put({"type": "lifespan.startup"})
    process = asyncio.create_task(live({"type": "lifespan"}, orders.get, said.put))
    assert (await said.get())["type"] == "lifespan.startup.complete"
    scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"host", b"testserver")], "client": ("::1", 1)}
    stream = asyncio.create_task(live(scope, idle.get, said.put))
    told = b""
    while b"event:" not in told and not stream.done():
        told += (await asyncio.wait_for(said.get(), 10)).get("body", b"")
    live.close()
    await orders.put({"type": "lifespan.shutdown"})
    await asyncio.gather(process, stream)
    return told


# The policies allow what is called, and only that.


def test_site_policy_allows_exactly_what_the_site_calls(
    account: Account, place: policy.Table, start: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    account.allow(policy.site(place))
    calls = iam.recorded(monkeypatch)
    start()
    anybody = Client()
    assert anybody.get("/readyz/").status_code == 200
    assert "already exists" in run("create_table")
    player("alice").post("/accounts/logout/")
    alice, bob = player("alice", "login"), player("bob")
    assert alice.post(f"{invited(alice)}cancel/").status_code == 303
    assert bob.post(f"{invited(alice)}decline/").status_code == 303
    assert alice.post("/games/new/", {"opponent": "computer"}).status_code == 303
    game = accepted(alice, bob)
    play(game, "0314", bob, alice)
    assert game.encode() in alice.get("/").content
    assert b"event: " in run_aside(lambda: first_event(f"{game}events/"))
    play(game, "2", bob)
    assert anybody.get(f"{game}state/").json()["result"] == "bob"
    assert anybody.get(f"{game}?move=5").status_code == alice.get("/").status_code == 200
    assert calls == pairs(policy.site(place))


def test_site_runs_without_create_permission_on_existing_table(
    account: Account,
    place: policy.Table,
    alice: Client,
    bob: Client,
    start: Callable[[], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    account.allow(policy.site(place, creating=False))
    start()
    assert Client().get("/readyz/").json() == {"status": "ok", "table": place.name}
    assert "dynamodb:" not in caplog.text, "a right that it doesn't need"
    play(accepted(alice, bob), "03142", bob, alice)


def test_inspect_policy_allows_exactly_what_read_commands_call(
    account: Account, place: policy.Table, game: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.allow(policy.inspecting(place))
    calls = iam.recorded(monkeypatch)
    game_id = game.split("/")[2]
    assert "Everything is as expected." in run("inspect_table")
    assert game_id in run("list_games")
    assert game_id in run("list_games", "--player", "alice")
    assert "bob (X) vs. alice (O)" in run("show_game", game_id)
    assert calls == pairs(policy.inspecting(place))


# Without one action, the feature named on its line in beanstalk.policy fails.

REFUSED = {
    "DescribeTable": ("/readyz/", None),
    "GetItem": ("{game}", None),
    "BatchGetItem": ("/", None),
    "PutItem": ("/games/new/", {"opponent": "bob"}),
    "UpdateItem": ("{game}move/", {"square": "TopLeft"}),
    "DeleteItem": ("{invitation}cancel/", {}),
    "Query": ("/", None),
}
NOT_DONE = {
    "CreateTable": lambda: provisioning.describe() is None,
    "DescribeTimeToLive": lambda: provisioning.time_to_live() == "",
    "UpdateTimeToLive": lambda: provisioning.time_to_live() == "",
    "UpdateContinuousBackups": lambda: point_in_time_recovery() == "DISABLED",
    "UpdateTable": lambda: not (provisioning.describe() or {}).get("DeletionProtectionEnabled"),
}
COMMANDS = {
    "DescribeTable": "inspect_table",
    "DescribeTimeToLive": "inspect_table",
    "DescribeContinuousBackups": "inspect_table",
    "GetItem": "show_game {game_id}",
    "Scan": "list_games",
    "Query": "list_games --player alice",
}


def point_in_time_recovery() -> str:
    answer = shared_client().describe_continuous_backups(TableName=TableItem.Meta.table_name)
    return str(answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"])


def test_cases_cover_every_action() -> None:
    running = {*policy.RUNNING, *policy.RUNNING_ON_INDEXES}
    # Without it, /readyz/ has a note (tests/test_readiness.py).
    assert running - {"DescribeTimeToLive"} == set(REFUSED)
    assert {*policy.CREATING, "DescribeTimeToLive"} == set(NOT_DONE)
    assert {*policy.INSPECTING, *policy.INSPECTING_ON_INDEXES} == set(COMMANDS)
    probed = {probe.action.removeprefix("dynamodb:") for probe in probes.probes()}
    assert probed | {"DescribeTable", "DescribeTimeToLive"} == running


@pytest.mark.parametrize("action", REFUSED)
def test_site_without_one_action_is_503_and_names_it(
    account: Account,
    place: policy.Table,
    alice: Client,
    bob: Client,
    game: str,
    action: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path, fields = REFUSED[action]
    path = path.format(game=game, invitation=invited(alice) if "{invitation}" in path else "")
    who = bob if action == "UpdateItem" else alice

    def ask() -> Any:
        return who.get(path) if fields is None else who.post(path, fields)

    account.allow(policy.site(place), but=action)
    refused = ask()
    assert refused.status_code == 503
    assert f"dynamodb:{action}" in caplog.text + refused.content.decode()
    account.allow(policy.site(place))
    assert ask().status_code == (200 if fields is None else 303)


@pytest.mark.parametrize("action", NOT_DONE)
def test_create_table_without_one_action_skips_step_and_names_it(
    account: Account, place: policy.Table, action: str
) -> None:
    account.allow(policy.site(place), but=action)
    with pytest.raises(CommandError, match=f"dynamodb:{action}"):
        call_command("create_table", stdout=StringIO(), stderr=StringIO())
    account.allow_everything()
    assert NOT_DONE[action]()
    account.allow(policy.site(place))
    assert "dynamodb:" not in run("create_table")
    account.allow_everything()
    assert not NOT_DONE[action]()


@pytest.mark.parametrize("action", COMMANDS)
def test_read_command_without_one_action_fails_and_names_it(
    account: Account, place: policy.Table, game: str, action: str
) -> None:
    command = COMMANDS[action].format(game_id=game.split("/")[2]).split()
    account.allow(policy.inspecting(place), but=action)
    assert f"dynamodb:{action}" in run(*command)
    account.allow(policy.inspecting(place))
    assert "dynamodb:" not in run(*command)


# The printed policies.


def test_printed_policy_covers_one_table_and_its_indexes() -> None:
    statements = printed(*PLACED)["Statement"]
    games = "arn:aws:dynamodb:us-west-2:123456789012:table/Games"
    assert [statement["Resource"] for statement in statements] == [
        games,
        [f"{games}/index/HostId-StatusDate-index", f"{games}/index/OpponentId-StatusDate-index"],
        games,
    ]
    assert all(statement["Effect"] == "Allow" for statement in statements)
    assert not [action for statement in statements for action in statement["Action"] if "*" in action]


def test_running_policy_omits_creation() -> None:
    everything, running = printed(*PLACED), printed(*PLACED, "--running")
    assert running["Statement"] == everything["Statement"][:2]
    assert not {action.partition(":")[2] for action, _ in pairs(running)} & set(policy.CREATING)


def test_inspect_policy_is_read_only() -> None:
    actions = {action.partition(":")[2] for action, _ in pairs(printed(*PLACED, "--inspect"))}
    assert actions == {*DESCRIBING, "GetItem", "Query", "Scan"}


def test_seed_option_prints_aws_examples_policy() -> None:
    games = "arn:aws-cn:dynamodb:cn-north-1:123456789012:table/Other"
    document = printed("--account", "123456789012", "--region", "cn-north-1", "--table", "Other", "--seed")
    assert document == {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["dynamodb:ListTables"], "Resource": "*"},
            {"Effect": "Allow", "Action": ["dynamodb:*"], "Resource": [games, f"{games}/index/*"]},
        ],
    }


def test_trust_policy_lets_ec2_assume_role_without_account() -> None:
    assert printed("--trust")["Statement"] == [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]
    assert "ec2.amazonaws.com.cn" in run("iam_policy", "--trust", "--region", "cn-northwest-1")


def test_iam_accepts_printed_policies(account: Account) -> None:
    account.iam.create_role(RoleName="tictactoe", AssumeRolePolicyDocument=run("iam_policy", "--trust"))
    for kind in ((), ("--running",), ("--inspect",), ("--seed",)):
        document = run("iam_policy", *PLACED, *kind)
        account.iam.put_role_policy(RoleName="tictactoe", PolicyName="table", PolicyDocument=document)
    with pytest.raises(account.iam.exceptions.MalformedPolicyDocumentException):
        account.iam.put_role_policy(RoleName="tictactoe", PolicyName="table", PolicyDocument='{"Version": "2012"}')


def test_region_and_table_default_to_configuration(settings: Any) -> None:
    settings.CONFIG = config.Config(region="eu-west-1", table="Matches")
    document = printed("--account", "123456789012")
    assert document["Statement"][0]["Resource"] == "arn:aws:dynamodb:eu-west-1:123456789012:table/Matches"
    document = printed(*PLACED, "--table", "Games")
    assert document["Statement"][0]["Resource"] == "arn:aws:dynamodb:us-west-2:123456789012:table/Games"


def test_unreadable_configuration_is_an_error_unless_table_is_given(settings: Any) -> None:
    settings.CONFIG, settings.CONFIG_NAMED, settings.SETUP_PROBLEM = None, True, "There is no such file."
    assert run("iam_policy", *PLACED) == "There is no such file."
    assert printed(*PLACED, "--table", "Games") == policy.site(policy.Table("123456789012", "us-west-2", "Games"))


def test_partition_of_each_region_matches_botocore() -> None:
    session = Session()
    for name in session.get_available_partitions():
        for region in session.get_available_regions("dynamodb", name):
            assert policy.partition(region)["id"] == name


@pytest.mark.parametrize(
    ("region", "arn", "service"),
    [
        ("eusc-de-east-1", "arn:aws-eusc:dynamodb:eusc-de-east-1:", "ec2.amazonaws.eu"),
        ("us-iso-east-1", "arn:aws-iso:dynamodb:us-iso-east-1:", "ec2.c2s.ic.gov"),
        ("cn-north-1", "arn:aws-cn:dynamodb:cn-north-1:", "ec2.amazonaws.com.cn"),
    ],
)
def test_policies_are_for_any_partition(region: str, arn: str, service: str) -> None:
    assert printed("--account", "123456789012", "--region", region)["Statement"][0]["Resource"].startswith(arn)
    assert printed("--trust", "--region", region)["Statement"][0]["Principal"] == {"Service": service}


@pytest.mark.process
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--account"),
        (["--account", "1234-5678-9012", "--region", "us-west-2"], "12 digits"),
        (["--account", "123456789012"], "--region us-west-2"),
        (["--account", "123456789012", "--region", "Oregon"], "'Oregon' isn't an AWS region"),
        (["--account", "123456789012", "--region", "us-west-2", "--table", "*"], "'*' isn't a valid table name"),
        (["--seed", "--trust"], "not allowed with"),
    ],
)
def test_invalid_parameters_exit_with_2_and_message(arguments: list[str], words: str) -> None:
    done = manage("iam_policy", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.process
def test_help_lists_valid_aws_iam_commands() -> None:
    told = manage("iam_policy", "--help").stdout
    assert "Exit codes" in told
    steps = re.findall(r"^  aws iam (\S+) (.*)$", told.replace("\\\n", ""), re.MULTILINE)
    assert len(steps) == 5
    service = Session().get_service_model("iam")
    operations = {xform_name(name, "-"): service.operation_model(name) for name in service.operation_names}
    for command, options in steps:
        shape = operations[command].input_shape
        assert shape
        given = set(re.findall(r"--(\S+)", options))
        assert {xform_name(name, "-") for name in shape.required_members} <= given, command
        assert given <= {xform_name(name, "-") for name in shape.members}, command
    assert iam_policy.STEPS in told
