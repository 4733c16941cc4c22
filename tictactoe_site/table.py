"""The site's table: the base class of its items, and the settings for the ``dynamodb`` package."""

from pynamodb.attributes import UnicodeAttribute

from dynamodb import items, retries
from dynamodb.advice import Advice
from dynamodb.items import TableItem
from tictactoe_site.config import Config

TTL_ATTRIBUTE = "ExpiresAt"
PATIENT_SECONDS = 20

_NEW_INDEX = "make it as manage.py create_table --dry-run prints it, or name another table with [dynamodb] table."
ADVICE = Advice(
    make_table="run manage.py create_table",
    correct_table="if it is in another region or has another name, correct [dynamodb] in CONFIG_FILE",
    correct_endpoint="correct [dynamodb] region or endpoint in CONFIG_FILE",
    allow_action="allow it in the policy of the role in use (manage.py iam_policy prints it)",
    make_table_elsewhere="Or run manage.py create_table, with credentials that may.",
    other_table="The site can't use this table: name another with [dynamodb] table.",
    index_missing=f"The lobby can't list games: {_NEW_INDEX}",
    index_lacks=f"The lobby shows games without their other player or result: {_NEW_INDEX}",
    index_projects_all="It works, and each move costs 3 write units instead of 1, as in the AWS example.",
    set_ttl="run manage.py create_table",
    consequences={
        "get_item": "no game can be opened and nobody can log in",
        "batch_get_item": "games in progress can't be listed or followed",
        "put_item": "nobody can sign up or start a game",
        "update_item": "no move can be made",
        "delete_item": "no invitation can be declined or withdrawn",
        "query": "no list of games can be shown",
    },
)


class Item(TableItem):
    """An item of the table. The form of the key distinguishes games, players and counters."""

    game_id = UnicodeAttribute(hash_key=True, attr_name="GameId")


def bind(config: Config, *, patient: bool = False) -> None:
    """Make every model use the table in ``config``. This sends nothing yet.

    Commands are ``patient``, with a longer timeout: CreateTable may take seconds, and no player waits for it.
    """
    items.bind(
        table=config.table,
        region=config.region,
        endpoint=config.endpoint,
        credentials=(config.access_key_id, config.secret_access_key),
        ttl_attribute=TTL_ATTRIBUTE,
        advice=ADVICE,
        answer_seconds=PATIENT_SECONDS if patient else retries.ANSWER_SECONDS,
    )
