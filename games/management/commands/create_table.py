from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from dynamodb import provisioning, schema
from dynamodb.items import TableItem, where
from tictactoe_site.commands import TableCommand


class Command(TableCommand):
    help = (
        "Create the table with its two indexes if it doesn't exist, wait until it is ACTIVE, and turn on TTL, "
        "point-in-time recovery and deletion protection. Exits with 1 if one of these is refused. You can run it any "
        "number of times, on many servers at once: it doesn't change the keys, indexes or items of an existing table."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only print the CreateTable request as JSON")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            self.print_json(schema.request())
            return
        made, problems = provisioning.create(self.say)
        name = TableItem.Meta.table_name
        if options["json"]:
            self.print_json({"table": name, "place": where(), "created": made})
        else:
            self.stdout.write(f"The table {name} {'has been created' if made else 'already exists'} ({where()}).")
        if problems:
            raise CommandError(" ".join(problems))
