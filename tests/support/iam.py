"""A moto AWS account that enforces its policies, and a record of requests to AWS."""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
import requests
from botocore.httpsession import URLLib3Session
from botocore.session import Session

from dynamodb import embedded
from dynamodb.client import warm_up
from tictactoe_site import config, table

# moto's account number, and the table's region.
ACCOUNT, REGION = "123456789012", "us-west-2"
USER = "site"


class Account:
    """An account with one user, who may do everything until a policy is set."""

    def __init__(self, address: str) -> None:
        self.address = address
        session = Session()
        session.set_credentials("admin", "admin")
        self.iam = cast("Any", session.create_client("iam", region_name=REGION, endpoint_url=address))
        self.iam.create_user(UserName=USER)
        self._key = self.iam.create_access_key(UserName=USER)["AccessKey"]

    @property
    def config(self) -> config.Config:
        """A configuration for this account's DynamoDB, with the user's credentials."""
        key = self._key
        return config.Config(
            endpoint=self.address, access_key_id=key["AccessKeyId"], secret_access_key=key["SecretAccessKey"]
        )

    def use(self, name: str) -> None:
        """Bind the models to the table of that name with the user's credentials, as the site does."""
        table.bind(replace(self.config, table=name), patient=True)
        warm_up()

    def allow_actions(self, actions: Collection[str]) -> None:
        """Allow only these actions, such as ``dynamodb:GetItem``, from now on."""
        statement = {"Effect": "Allow", "Action": sorted(actions)}
        self.allow({"Version": "2012-10-17", "Statement": [statement]})

    def allow(self, document: dict[str, Any], *, but: str = "") -> None:
        """Allow only what the policy allows from now on, without the action ``but``.

        moto can't tell resources apart, so it gets the same policy for all resources.
        """
        everywhere = [statement | {"Resource": "*"} for statement in document["Statement"]]
        for statement in everywhere:
            statement["Action"] = [action for action in statement["Action"] if action != f"dynamodb:{but}"]
        policy = document | {"Statement": [statement for statement in everywhere if statement["Action"]]}
        self.allow_everything()
        self.iam.put_user_policy(UserName=USER, PolicyName="only", PolicyDocument=json.dumps(policy))
        self._enforce_after("0")

    def allow_everything(self) -> None:
        self._enforce_after("inf")

    def _enforce_after(self, number: str) -> None:
        requests.post(f"{self.address}/moto-api/reset-auth", data=number.encode(), timeout=60).raise_for_status()


@contextmanager
def account() -> Iterator[Account]:
    with embedded.process() as address:
        yield Account(address)


def pairs(document: dict[str, Any]) -> set[tuple[str, str]]:
    """Return the pairs of action and resource that a policy allows."""
    found = set()
    for statement in document["Statement"]:
        resources = statement["Resource"]
        for resource in [resources] if isinstance(resources, str) else resources:
            found |= {(action, resource) for action in statement["Action"]}
    return found


def recorded(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """Return a set that collects action and resource of each request by any AWS client of this process from now on."""
    seen: set[tuple[str, str]] = set()
    send = URLLib3Session.send

    def sending(self: URLLib3Session, request: Any) -> Any:
        seen.update(_asked_for(request))
        return send(self, request)

    monkeypatch.setattr(URLLib3Session, "send", sending)
    return seen


def _asked_for(request: Any) -> Iterator[tuple[str, str]]:
    if "X-Amz-Target" not in request.headers:
        yield request.method, request.url  # to another service, or for instance metadata
        return
    target = request.headers["X-Amz-Target"]
    action = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
    asked = json.loads(request.body)
    index = f"/index/{asked['IndexName']}" if "IndexName" in asked else ""
    for table_name in [asked["TableName"]] if "TableName" in asked else asked.get("RequestItems", ["*"]):
        yield f"dynamodb:{action}", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table_name}{index}"
