"""The policies that ``iam_policy`` prints: enough for all that is done, and nothing in them is too much.

moto tells one action from another but no resource, so which tables are called is read off the requests themselves.
"""

import asyncio
import json
import re
import runpy
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
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
from tests.test_commands import shell
from tests.test_moves import play
from tictactoe_site import config

pytestmark = pytest.mark.deployment

NEW = {"password": "correct horse battery"}
PLACED = ("--account", "123456789012", "--region", "us-west-2")


@pytest.fixture(scope="module")
def server() -> Iterator[Account]:
    with iam.account() as account:
        yield account


@pytest.fixture
def account(server: Account) -> Account:
    """An account without the table, and the site bound to it: what a deployment from nothing finds."""
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
    """The address of a game in progress, in which bob is to move."""
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
    """All that the command says, and why it gave up if it did."""
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
    """Does what a server does when it starts, to the end of what it does besides, which comes where all is well."""

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
    """What a stream begins with, up to its first event, from a ``live`` process that starts and ends here."""
    live, orders, said, idle = Live(), asyncio.Queue[Any](), asyncio.Queue[Any](), asyncio.Queue[Any]()
    await orders.put({"type": "lifespan.startup"})
    process = asyncio.create_task(live({"type": "lifespan"}, orders.get, said.put))
    assert (await said.get())["type"] == "lifespan.startup.complete"
    scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"host", b"localhost")], "client": ("::1", 1)}
    stream = asyncio.create_task(live(scope, idle.get, said.put))
    told = b""
    while b"event:" not in told and not stream.done():
        told += (await asyncio.wait_for(said.get(), 10)).get("body", b"")
    live.close()
    await orders.put({"type": "lifespan.shutdown"})
    await asyncio.gather(process, stream)
    return told


# Enough, and all that is called.


def test_from_an_empty_account_to_the_end_of_a_game_the_site_calls_all_that_is_allowed_and_nothing_else(
    account: Account, place: policy.Table, start: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    account.allow(policy.site(place))
    calls = iam.recorded(monkeypatch)
    start()
    anybody = Client()
    assert anybody.get("/readyz/").status_code == 200
    assert "was there already" in run("create_table")
    player("alice").post("/accounts/logout/")
    alice, bob = player("alice", "login"), player("bob")
    assert alice.post(f"{invited(alice)}cancel/").status_code == 303
    assert bob.post(f"{invited(alice)}decline/").status_code == 303
    assert alice.post("/games/new/", {"opponent": "computer"}).status_code == 303
    game = accepted(alice, bob)
    play(game, "0314", bob, alice)
    assert game.encode() in alice.get("/").content
    with ThreadPoolExecutor(1) as elsewhere:  # Playwright, if it was in use, leaves a running loop in this thread.
        assert b"event: " in elsewhere.submit(lambda: asyncio.run(first_event(f"{game}events/"))).result()
    play(game, "2", bob)
    assert anybody.get(f"{game}state/").json()["result"] == "bob"
    assert anybody.get(f"{game}?move=5").status_code == alice.get("/").status_code == 200
    assert calls == pairs(policy.site(place))


def test_where_the_table_is_there_the_site_starts_and_plays_without_the_right_to_create(
    account: Account, place: policy.Table, alice: Client, bob: Client, start: Callable[[], None]
) -> None:
    account.allow(policy.site(place, creating=False))
    start()
    assert Client().get("/readyz/").status_code == 200
    play(accepted(alice, bob), "03142", bob, alice)


def test_the_commands_that_look_call_all_that_an_inspector_may_and_nothing_else(
    account: Account, place: policy.Table, game: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.allow(policy.inspecting(place))
    calls = iam.recorded(monkeypatch)
    game_id = game.split("/")[2]
    assert "All as expected." in run("inspect_table")
    assert game_id in run("list_games")
    assert game_id in run("list_games", "--player", "alice")
    assert "bob (X) against alice (O)" in run("show_game", game_id)
    assert calls == pairs(policy.inspecting(place))


# Without any one action, what its line in beanstalk.policy says is broken.

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
    "GetItem": "show_game {game_id}",
    "Scan": "list_games",
    "Query": "list_games --player alice",
}


def point_in_time_recovery() -> str:
    answer = shared_client().describe_continuous_backups(TableName=TableItem.Meta.table_name)
    return str(answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"])


def test_every_action_is_tried() -> None:
    assert {*policy.RUNNING, *policy.RUNNING_ON_INDEXES} == set(REFUSED)
    assert set(policy.CREATING) == set(NOT_DONE)
    assert {*policy.INSPECTING, *policy.INSPECTING_ON_INDEXES} == set(COMMANDS)
    probed = {probe.action.removeprefix("dynamodb:") for probe in probes.probes()}
    assert probed | {"DescribeTable"} == {*policy.RUNNING, *policy.RUNNING_ON_INDEXES}


@pytest.mark.parametrize("action", REFUSED)
def test_without_one_action_the_site_refuses_what_needs_it_and_names_it(
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
def test_without_one_action_create_table_leaves_out_what_needs_it_and_names_it(
    account: Account, place: policy.Table, action: str
) -> None:
    account.allow(policy.site(place), but=action)
    assert f"dynamodb:{action}" in run("create_table")
    account.allow_everything()
    assert NOT_DONE[action]()
    account.allow(policy.site(place))
    assert "dynamodb:" not in run("create_table")
    account.allow_everything()
    assert not NOT_DONE[action]()


@pytest.mark.parametrize("action", COMMANDS)
def test_without_one_action_a_command_that_looks_refuses_and_names_it(
    account: Account, place: policy.Table, game: str, action: str
) -> None:
    command = COMMANDS[action].format(game_id=game.split("/")[2]).split()
    account.allow(policy.inspecting(place), but=action)
    assert f"dynamodb:{action}" in run(*command)
    account.allow(policy.inspecting(place))
    assert "dynamodb:" not in run(*command)


# What is printed.


def test_the_printed_policy_is_on_the_one_table_and_its_two_indexes() -> None:
    statements = printed(*PLACED)["Statement"]
    games = "arn:aws:dynamodb:us-west-2:123456789012:table/Games"
    assert [statement["Resource"] for statement in statements] == [
        games,
        [f"{games}/index/HostId-StatusDate-index", f"{games}/index/OpponentId-StatusDate-index"],
        games,
    ]
    assert all(statement["Effect"] == "Allow" for statement in statements)
    assert not [action for statement in statements for action in statement["Action"] if "*" in action]


def test_running_leaves_out_what_creates_the_table() -> None:
    everything, running = printed(*PLACED), printed(*PLACED, "--running")
    assert running["Statement"] == everything["Statement"][:2]
    assert not {action.partition(":")[2] for action, _ in pairs(running)} & set(policy.CREATING)


def test_an_inspector_may_write_nothing() -> None:
    actions = {action.partition(":")[2] for action, _ in pairs(printed(*PLACED, "--inspect"))}
    assert actions == {"DescribeTable", "DescribeTimeToLive", "GetItem", "Query", "Scan"}


def test_the_broad_form_is_the_one_of_the_example() -> None:
    games = "arn:aws-cn:dynamodb:cn-north-1:123456789012:table/Other"
    document = printed("--account", "123456789012", "--region", "cn-north-1", "--table", "Other", "--seed")
    assert document == {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["dynamodb:ListTables"], "Resource": "*"},
            {"Effect": "Allow", "Action": ["dynamodb:*"], "Resource": [games, f"{games}/index/*"]},
        ],
    }


def test_the_trust_policy_lets_instances_take_the_role_and_needs_no_account() -> None:
    assert printed("--trust")["Statement"] == [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]
    assert "ec2.amazonaws.com.cn" in run("iam_policy", "--trust", "--region", "cn-northwest-1")


def test_iam_takes_what_is_printed(account: Account) -> None:
    account.iam.create_role(RoleName="tictactoe", AssumeRolePolicyDocument=run("iam_policy", "--trust"))
    for kind in ((), ("--running",), ("--inspect",), ("--seed",)):
        document = run("iam_policy", *PLACED, *kind)
        account.iam.put_role_policy(RoleName="tictactoe", PolicyName="table", PolicyDocument=document)
    with pytest.raises(account.iam.exceptions.MalformedPolicyDocumentException):
        account.iam.put_role_policy(RoleName="tictactoe", PolicyName="table", PolicyDocument='{"Version": "2012"}')


def test_region_and_table_are_the_configurations_unless_given(settings: Any) -> None:
    settings.CONFIG = config.Config(region="eu-west-1", table="Matches")
    document = printed("--account", "123456789012")
    assert document["Statement"][0]["Resource"] == "arn:aws:dynamodb:eu-west-1:123456789012:table/Matches"
    document = printed(*PLACED, "--table", "Games")
    assert document["Statement"][0]["Resource"] == "arn:aws:dynamodb:us-west-2:123456789012:table/Games"


def test_a_configuration_that_cannot_be_read_is_not_guessed_at(settings: Any) -> None:
    settings.CONFIG, settings.CONFIG_NAMED, settings.SETUP_PROBLEM = None, True, "There is no such file."
    assert run("iam_policy", *PLACED) == "There is no such file."
    assert printed(*PLACED, "--table", "Games") == policy.site(policy.Table("123456789012", "us-west-2", "Games"))


def test_regions_are_in_the_partition_that_botocore_knows_them_in() -> None:
    session = Session()
    known = {"aws", "aws-cn", "aws-us-gov"}
    for name in session.get_available_partitions():
        for region in session.get_available_regions("dynamodb", name):
            if name in known:
                assert policy.partition(region) == name
            else:
                with pytest.raises(ValueError, match=region):
                    policy.partition(region)


@pytest.mark.process
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--account"),
        (["--account", "1234-5678-9012", "--region", "us-west-2"], "12 digits"),
        (["--account", "123456789012"], "--region us-west-2"),
        (["--account", "123456789012", "--region", "Oregon"], "'Oregon' is no AWS region"),
        (["--account", "123456789012", "--region", "us-west-2", "--table", "*"], "'*' is no table's name"),
        (["--seed", "--trust"], "not allowed with"),
    ],
)
def test_wrong_parameters_end_with_2_and_a_sentence(arguments: list[str], words: str) -> None:
    done = shell("iam_policy", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.process
def test_help_teaches_the_steps_and_they_are_commands_that_aws_has() -> None:
    told = shell("iam_policy", "--help").stdout
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
