"""Least privilege: the DynamoDB actions that the code calls, each with what needs it, and IAM's policies of them.

``tests/test_policy.py`` keeps the lists exact: nothing else is ever called, and without any one of them something
named below breaks. Nothing here is sent: an administrator gives the policies to roles (``manage.py iam_policy``).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dynamodb import schema
from tictactoe_site.config import TABLE_NAME

# What the site does all day, on the table and on its two indexes.
RUNNING = {
    "DescribeTable": "/readyz/, and a look whether the table is there when the site starts",
    "GetItem": "opening a game, logging in",
    "BatchGetItem": "the boards of games in progress, in the lobby and for event streams",
    "PutItem": "signing up, inviting",
    "UpdateItem": "accepting, moving, counting attempts to log in",
    "DeleteItem": "declining, cancelling",
}
RUNNING_ON_INDEXES = {"Query": "the lobby and the pages after it"}
# What the site and create_table do where there is no table, which they look for by DescribeTable, above.
CREATING = {
    "CreateTable": "making the table",
    "DescribeTimeToLive": "a look whether expired items are deleted already",
    "UpdateTimeToLive": "having them deleted",
    "UpdateContinuousBackups": "point-in-time recovery",
    "UpdateTable": "deletion protection",
}
# What the commands that only look call, for people: they write nothing, and scanning is for nobody else.
INSPECTING = {
    "DescribeTable": "inspect_table",
    "DescribeTimeToLive": "inspect_table",
    "GetItem": "show_game",
    "Scan": "list_games",
}
INSPECTING_ON_INDEXES = {"Query": "list_games --player"}

# The second version of the language, which is the current one:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
VERSION = "2012-10-17"

_ACCOUNT = re.compile(r"[0-9]{12}")
# Of the partitions that anybody can have an account in; the others have names of more parts, and services of their own.
_REGION = re.compile(r"[a-z]{2}(-gov)?-[a-z]+-[0-9]{1,2}")


@dataclass(frozen=True, slots=True)
class Table:
    """A table by its ARN's parts, where there need be none yet. Raises ValueError for what can be no part of an ARN."""

    account: str
    region: str
    name: str

    def __post_init__(self) -> None:
        if not _ACCOUNT.fullmatch(self.account):
            raise ValueError(f"{self.account!r} is no AWS account: give its 12 digits, without dashes.")
        if not TABLE_NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no table's name: that is 3 to 255 of A-Z a-z 0-9 _ . -")
        partition(self.region)

    @property
    def arn(self) -> str:
        return f"arn:{partition(self.region)}:dynamodb:{self.region}:{self.account}:table/{self.name}"

    @property
    def index_arns(self) -> list[str]:
        return [f"{self.arn}/index/{index['IndexName']}" for index in schema.request()["GlobalSecondaryIndexes"]]


def partition(region: str) -> str:
    """The part of AWS that a region is in, as ARNs begin with it. Raises ValueError for what is no region."""
    if not _REGION.fullmatch(region):
        raise ValueError(f"{region!r} is no AWS region: give one such as us-west-2.")
    match region.split("-"):
        case ["cn", *_]:
            return "aws-cn"
        case ["us", "gov", *_]:
            return "aws-us-gov"
        case _:
            return "aws"


def site(table: Table, *, creating: bool = True) -> dict[str, Any]:
    """For the role of the servers; without ``creating`` where somebody else has made the table."""
    statements = [
        _allow(RUNNING, table.arn, Sid="RunOnTheTable"),
        _allow(RUNNING_ON_INDEXES, table.index_arns, Sid="RunOnItsIndexes"),
    ]
    if creating:
        statements.append(_allow(CREATING, table.arn, Sid="CreateTheTable"))
    return _document(statements)


def inspecting(table: Table) -> dict[str, Any]:
    """For people who look at the table by ``inspect_table``, ``list_games`` and ``show_game``."""
    return _document(
        [
            _allow(INSPECTING, table.arn, Sid="InspectTheTable"),
            _allow(INSPECTING_ON_INDEXES, table.index_arns, Sid="InspectItsIndexes"),
        ]
    )


def of_the_example(table: Table) -> dict[str, Any]:
    """As broad as the AWS example's own: any action on the table, deleting it included, and all tables' names."""
    everything = [table.arn, f"{table.arn}/index/*"]
    return _document([_allow(["ListTables"], "*"), _allow(["*"], everything)])


def trust(region: str) -> dict[str, Any]:
    """That EC2's instances may take the role. In China, EC2 has a name of its own there."""
    suffix = "amazonaws.com.cn" if partition(region) == "aws-cn" else "amazonaws.com"
    statement = {"Effect": "Allow", "Principal": {"Service": f"ec2.{suffix}"}, "Action": "sts:AssumeRole"}
    return _document([statement])


def _document(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": VERSION, "Statement": statements}


def _allow(actions: Iterable[str], resources: str | list[str], **name: str) -> dict[str, Any]:
    allowed = [f"dynamodb:{action}" for action in actions]
    return {**name, "Effect": "Allow", "Action": allowed, "Resource": resources}
