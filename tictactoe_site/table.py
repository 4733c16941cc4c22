"""The site's table: the base class of its items, and the settings for the ``dynamodb`` package."""

from pynamodb.attributes import UnicodeAttribute

from dynamodb import items, retries
from dynamodb.items import Advice, TableItem
from tictactoe_site.config import Config

TTL_ATTRIBUTE = "ExpiresAt"
PATIENT_SECONDS = 20

_NEW_INDEX = "create the index as in manage.py create_table --dry-run, or choose another table with [dynamodb] table."
ADVICE = Advice(
    make_table="run manage.py create_table",
    correct_table="correct [dynamodb] region or table in CONFIG_FILE",
    correct_endpoint="correct [dynamodb] region or endpoint in CONFIG_FILE",
    allow_action="allow it in the role's policy (manage.py iam_policy prints it)",
    make_table_elsewhere="Or run manage.py create_table with credentials that allow it.",
    other_table="The site can't use this table: choose another with [dynamodb] table.",
    index_missing=f"The lobby can't list games: {_NEW_INDEX}",
    index_lacks=f"The lobby can't show each game's other player or result: {_NEW_INDEX}",
    index_projects_all="It works, but each move costs 3 write units instead of 1, as in the AWS example.",
    set_ttl="run manage.py create_table",
    consequences={
        "get_item": "nobody can open a game or log in",
        "batch_get_item": "nobody can list or follow games in progress",
        "put_item": "nobody can sign up or start a game",
        "update_item": "nobody can move",
        "delete_item": "nobody can cancel an invitation",
        "query": "nobody can see a list of games",
    },
)


class Item(TableItem):
    """An item of the table. The form of the key distinguishes games, players and counters."""

    game_id = UnicodeAttribute(hash_key=True, attr_name="GameId")


def bind(config: Config, *, patient: bool = False) -> None:
    """Make every model use the table, and send nothing yet. Commands are ``patient``: CreateTable may take seconds."""
    items.bind(
        table=config.table,
        region=config.region,
        endpoint=config.endpoint,
        credentials=(config.access_key_id, config.secret_access_key),
        ttl_attribute=TTL_ATTRIBUTE,
        advice=ADVICE,
        answer_seconds=PATIENT_SECONDS if patient else retries.ANSWER_SECONDS,
    )
