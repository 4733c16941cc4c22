"""``manage.py create_table``: create the table, if there is none."""

from argparse import ArgumentParser
from typing import Any

from dynamodb import provisioning, schema
from dynamodb.items import TableItem, where
from tictactoe_site.commands import TableCommand


class Command(TableCommand):
    help = (
        "Create the table with its two indexes if it is not there, wait until it is ACTIVE, and switch on TTL, "
        "point-in-time recovery and deletion protection. Run it as often as you like, on many servers at once: "
        "of a table that is there, keys, indexes and items stay as they are."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="print the CreateTable request as JSON and send nothing"
        )
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            self.print_json(schema.request())
            return
        made = provisioning.create(self.say)
        name = TableItem.Meta.table_name
        if options["json"]:
            self.print_json({"table": name, "place": where(), "created": made})
        else:
            self.stdout.write(f"The table {name} {'is created' if made else 'was there already'}, at {where()}.")
