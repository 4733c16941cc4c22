"""``manage.py inspect_table``: what the table is, and what it should be."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError

from games import provisioning, schema, table
from games.management.command import TableCommand


class Command(TableCommand):
    help = (
        "Show the table's status, keys, indexes, projections, billing, TTL and approximate counts, and how they "
        "differ from what the site expects, with what follows from it. Ends with 1 if the site can't work with it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print all of it as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        name = table.TableItem.Meta.table_name
        described = provisioning.describe()
        if described is None:
            raise CommandError(f"There is no table {name} at {table.place()}: run manage.py create_table.")
        ttl = provisioning.time_to_live()
        found = schema.differences(described, ttl)
        summary = _summary(described, ttl) | {"differences": [asdict(difference) for difference in found]}
        if options["json"]:
            self.print_json(summary)
        else:
            self._print(summary)
        if any(difference.breaks for difference in found):
            raise CommandError(f"The site can't work with the table {name} as it is.")

    def _print(self, summary: dict[str, Any]) -> None:
        for label in ("table", "place", "status", "key", "billing", "ttl", "items", "bytes"):
            self.stdout.write(f"{label:8} {summary[label]}")
        for index in summary["indexes"]:
            self.stdout.write(
                f"index    {index['name']}: {index['key']}; projects {index['projection']}; {index['status']}"
            )
        for difference in summary["differences"]:
            self.stdout.write(
                f"{'BROKEN' if difference['breaks'] else 'differs'}  {difference['what']} {difference['consequence']}"
            )
        if not summary["differences"]:
            self.stdout.write("All as expected.")


def _summary(described: dict[str, Any], ttl: str) -> dict[str, Any]:
    """DynamoDB refreshes the counts about every six hours (DescribeTable in its API Reference)."""
    return {
        "table": described["TableName"],
        "place": table.place(),
        "status": described["TableStatus"],
        "key": schema.key_text(described["KeySchema"]),
        "billing": schema.billing_mode(described),
        "ttl": ttl or "off",
        "items": described.get("ItemCount", 0),
        "bytes": described.get("TableSizeBytes", 0),
        "indexes": [
            {
                "name": index["IndexName"],
                "key": schema.key_text(index["KeySchema"]),
                "projection": ", ".join(
                    index["Projection"].get("NonKeyAttributes", [index["Projection"]["ProjectionType"]])
                ),
                "status": index.get("IndexStatus", "unknown"),
            }
            for index in described.get("GlobalSecondaryIndexes", [])
        ],
    }
