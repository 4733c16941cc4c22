"""Least privilege: the DynamoDB actions that the code calls, with the feature that needs each, and IAM policies.

``tests/test_policy.py`` keeps the lists exact: the code calls no other action, and without any one of them a feature
named below breaks. This module sends nothing: an administrator attaches the policies (``manage.py iam_policy``).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dynamodb import schema
from dynamodb.endpoints import partition_of
from tictactoe_site.config import TABLE_NAME, ConfigError

# What the site calls in normal operation, on the table and on its two indexes.
RUNNING = {
    "DescribeTable": "/readyz/, and checking at the start whether the table exists",
    "DescribeTimeToLive": "/readyz/ notes whether expired items are deleted",
    "GetItem": "opening a game, logging in",
    "BatchGetItem": "the boards of games in progress, in the lobby and for event streams",
    "PutItem": "signing up, inviting",
    "UpdateItem": "accepting, moving, counting attempts to log in",
    "DeleteItem": "declining, cancelling",
}
RUNNING_ON_INDEXES = {"Query": "the lobby and its older pages"}
# What the site and create_table call if there is no table. They check that with DescribeTable, above.
CREATING = {
    "CreateTable": "creating the table",
    "UpdateTimeToLive": "turning on TTL",
    "UpdateContinuousBackups": "point-in-time recovery",
    "UpdateTable": "deletion protection",
}
# What the read-only commands call, for people. They write nothing, and nothing else may scan.
INSPECTING = {
    "DescribeTable": "inspect_table",
    "DescribeTimeToLive": "inspect_table",
    "DescribeContinuousBackups": "inspect_table",
    "GetItem": "show_game",
    "Scan": "list_games",
}
INSPECTING_ON_INDEXES = {"Query": "list_games --player"}


@dataclass(frozen=True, slots=True)
class Table:
    """The parts of a table's ARN; the table need not exist yet. Raises ConfigError for an invalid part."""

    account: str
    region: str
    name: str

    def __post_init__(self) -> None:
        if not re.fullmatch("[0-9]{12}", self.account):
            raise ConfigError(f"{self.account!r} isn't an AWS account number: give its 12 digits, without dashes.")
        if not TABLE_NAME.fullmatch(self.name):
            raise ConfigError(f"{self.name!r} isn't a valid table name: use 3 to 255 characters from A-Z a-z 0-9 _ . -")
        partition(self.region)

    @property
    def arn(self) -> str:
        return f"arn:{partition(self.region)['id']}:dynamodb:{self.region}:{self.account}:table/{self.name}"

    @property
    def index_arns(self) -> list[str]:
        return [f"{self.arn}/index/{index['IndexName']}" for index in schema.request()["GlobalSecondaryIndexes"]]


def partition(region: str) -> dict[str, str]:
    """Return the region's AWS partition: its ``id`` is in ARNs, its ``dnsSuffix`` in names. Raises ConfigError."""
    if described := partition_of(region):
        return described
    raise ConfigError(f"{region!r} isn't an AWS region: give one such as us-west-2.")


def site(table: Table, *, creating: bool = True) -> dict[str, Any]:
    """Return the policy for the servers' role. Pass ``creating=False`` if somebody else has created the table."""
    on_indexes = _allow(RUNNING_ON_INDEXES, table.index_arns, Sid="RunOnItsIndexes")
    create = [_allow(CREATING, table.arn, Sid="CreateTheTable")] if creating else []
    return _document([_allow(RUNNING, table.arn, Sid="RunOnTheTable"), on_indexes, *create])


def inspecting(table: Table) -> dict[str, Any]:
    """Return the policy for people who inspect the table with ``inspect_table``, ``list_games`` and ``show_game``."""
    on_indexes = _allow(INSPECTING_ON_INDEXES, table.index_arns, Sid="InspectItsIndexes")
    return _document([_allow(INSPECTING, table.arn, Sid="InspectTheTable"), on_indexes])


def of_the_example(table: Table) -> dict[str, Any]:
    """Return a policy as broad as the AWS example's: any action on the table, even deleting it, and ListTables."""
    everything = [table.arn, f"{table.arn}/index/*"]
    return _document([_allow(["ListTables"], "*"), _allow(["*"], everything)])


def trust(region: str) -> dict[str, Any]:
    """Return the trust policy that lets EC2 instances assume the role. Each partition has its name for EC2."""
    service = f"ec2.{partition(region)['dnsSuffix']}"
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return _document([statement])


def _document(statements: list[dict[str, Any]]) -> dict[str, Any]:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
    return {"Version": "2012-10-17", "Statement": statements}


def _allow(actions: Iterable[str], resources: str | list[str], **name: str) -> dict[str, Any]:
    allowed = [f"dynamodb:{action}" for action in actions]
    return {**name, "Effect": "Allow", "Action": allowed, "Resource": resources}
