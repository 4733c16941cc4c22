"""An AWS account that enforces its policies (moto's), and a record of what is asked of AWS."""

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

# moto's own, and where this table is said to be.
ACCOUNT, REGION = "123456789012", "us-west-2"
USER = "site"


class Account:
    """One user, and the policy that holds for all it asks; at first it may do everything."""

    def __init__(self, address: str) -> None:
        self.address = address
        session = Session()
        session.set_credentials("admin", "admin")
        self.iam = cast("Any", session.create_client("iam", region_name=REGION, endpoint_url=address))
        self.iam.create_user(UserName=USER)
        self._key = self.iam.create_access_key(UserName=USER)["AccessKey"]

    @property
    def config(self) -> config.Config:
        """DynamoDB there, with the user's credentials."""
        key = self._key
        return config.Config(
            endpoint=self.address, access_key_id=key["AccessKeyId"], secret_access_key=key["SecretAccessKey"]
        )

    def use(self, name: str) -> None:
        """Bind the models to the table of that name as the user, and as the site does."""
        table.bind(replace(self.config, table=name))
        warm_up()

    def allow_actions(self, actions: Collection[str]) -> None:
        """Only these, such as ``dynamodb:GetItem``, from now on."""
        statement = {"Effect": "Allow", "Action": sorted(actions)}
        self.allow({"Version": "2012-10-17", "Statement": [statement]})

    def allow(self, document: dict[str, Any], *, but: str = "") -> None:
        """Only what the policy allows from now on, without the action ``but``.

        moto can't tell one resource from another: it is given the same policy for all resources.
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
        requests.post(f"{self.address}/moto-api/reset-auth", data=number.encode(), timeout=5).raise_for_status()


@contextmanager
def account() -> Iterator[Account]:
    with embedded.process() as address:
        yield Account(address)


def pairs(document: dict[str, Any]) -> set[tuple[str, str]]:
    """Each action that a policy allows, with each resource that it allows it on."""
    found = set()
    for statement in document["Statement"]:
        resources = statement["Resource"]
        for resource in [resources] if isinstance(resources, str) else resources:
            found |= {(action, resource) for action in statement["Action"]}
    return found


def recorded(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """Grows by the action and the resource of every request that any AWS client in this process sends from now on."""
    seen: set[tuple[str, str]] = set()
    send = URLLib3Session.send

    def sending(self: URLLib3Session, request: Any) -> Any:
        seen.update(_asked_for(request))
        return send(self, request)

    monkeypatch.setattr(URLLib3Session, "send", sending)
    return seen


def _asked_for(request: Any) -> Iterator[tuple[str, str]]:
    if "X-Amz-Target" not in request.headers:
        yield request.method, request.url  # another service's, or an instance's metadata
        return
    target = request.headers["X-Amz-Target"]
    action = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
    asked = json.loads(request.body)
    index = f"/index/{asked['IndexName']}" if "IndexName" in asked else ""
    for table_name in [asked["TableName"]] if "TableName" in asked else asked.get("RequestItems", ["*"]):
        yield f"dynamodb:{action}", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table_name}{index}"
