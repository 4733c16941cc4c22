"""What docs/data-model.md shows is what its code prints; its prices are those of DynamoDB Local."""

import re
from contextlib import redirect_stdout
from io import StringIO

import pytest
from django.test import Client

from games.match import Status
from games.models import SQUARE_FIELDS, Game
from games.storage import store
from tests.conftest import PASSWORD
from tests.support.consumed import Meter
from tests.support.many import game_of, put
from tictactoe_site.config import BASE_DIR

TEXT = (BASE_DIR / "docs" / "data-model.md").read_text()


def block(language: str) -> str:
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    return found[0]


def dateless(text: str) -> list[str]:
    return re.sub(r"(FINISHED_|MovedAt ).*", r"\1", text).splitlines()


def test_sample_is_what_its_code_prints(games_table: str, exact: bool) -> None:
    printed = StringIO()
    with redirect_stdout(printed):
        exec(block("python"), {})
    *item, figures = dateless(printed.getvalue())
    *documented, documented_figures = dateless(block("text"))
    assert item == documented
    assert figures == documented_figures or not exact


def test_every_attribute_is_described() -> None:
    described = set(re.findall(r"`([A-Za-z]+)`", TEXT))
    attributes = {attribute.attr_name for name, attribute in Game.get_attributes().items() if name not in SQUARE_FIELDS}
    assert attributes <= described


@pytest.mark.parametrize("engine", ["dynamodb_local"], indirect=True)
def test_withdrawing_a_named_invitation_costs_three_write_units(games_table: str, meter: Meter) -> None:
    cancelled, declined = (store.invite(host="alice", opponent="bob").game_id for _ in range(2))
    store.cancel(cancelled, player="alice")
    store.decline(declined, player="bob")
    assert (meter.units("DeleteItem"), meter.units("UpdateItem")) == (3, 3)


def test_logging_in_costs_a_read_unit_and_four_write_units(alice: Client, meter: Meter, exact: bool) -> None:
    meter.calls.clear()
    Client().post("/accounts/login/", {"username": "alice", "password": PASSWORD})
    assert meter.operations == ["GetItem", *["UpdateItem"] * 4]
    assert (meter.units("GetItem"), meter.units("UpdateItem")) == (1, 4) or not exact


def test_a_players_page_costs_three_and_a_half_read_units(alice: Client, meter: Meter, exact: bool) -> None:
    put([game_of(Status.FINISHED, 0, "alice", "bob"), game_of(Status.FINISHED, 1, "bob", "alice")])
    meter.calls.clear()
    alice.get("/players/alice/")
    assert sorted(meter.operations) == ["GetItem", "GetItem", *["Query"] * 4]
    assert meter.units("GetItem", "Query") == 3.5 or not exact
