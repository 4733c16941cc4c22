from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError

from dynamodb import probes, provisioning, reasons, schema
from dynamodb.errors import NotAllowed
from dynamodb.items import TableItem, where
from tictactoe_site.commands import TableCommand

FIRST_VERSION = {"hostStatusDate", "opponentStatusDate"}
OF_FIRST_VERSION = schema.Difference(
    "This table was made by the AWS example's first version.",
    "Give it the two indexes of manage.py create_table --dry-run, one after the other, and delete its own. "
    "Lobbies can then list its games, but most can't be opened: O moved first in them.",
    breaks=True,
)


class Command(TableCommand):
    help = (
        "Show the table's status, keys, indexes, projections, billing, TTL, point-in-time recovery, deletion "
        "protection and approximate counts, and how they differ from what the site expects, with the consequences. "
        "Exits with 1 if the site can't use the table. It only reads three descriptions. With --probe it also tries "
        "each action of the site with the current credentials: run it on a server, or with the server's credentials, "
        "to see what the site may do."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the result as JSON")
        explanation = "try each action of the site with a request that changes nothing (3 write units, 2 read units)"
        parser.add_argument("--probe", action="store_true", help=explanation)

    def handle(self, *args: Any, **options: Any) -> None:
        summary, problem = self._described()
        # A table with another schema belongs to somebody else, so leave it alone.
        if options["probe"] and not any(difference["breaks"] for difference in summary.get("differences", [])):
            summary["actions"] = [
                {"action": probe.action, "index": probe.index, "allowed": not refusal, "problem": refusal}
                for probe, refusal in probes.try_actions()
            ]
            refused = [each["action"] for each in summary["actions"] if not each["allowed"]]
            if refused and not problem:
                problem = f"The site can't work, because these credentials don't allow {', '.join(refused)}."
        if summary:
            self.print_json(summary) if options["json"] else self._print(summary)
        if problem:
            raise CommandError(problem)

    def _described(self) -> tuple[dict[str, Any], str]:
        """Return what we know of the table, and one sentence on why the site can't work with it (or none)."""
        try:
            described = provisioning.describe()
        except NotAllowed as exc:
            return {}, str(exc)
        if described is None:
            return {}, reasons.absent()
        ttl, recovery = self._if_allowed(provisioning.time_to_live), self._if_allowed(provisioning.recovery)
        found = schema.differences(described) + ([] if ttl is None else schema.ttl_differences(ttl))
        if {index["IndexName"] for index in described.get("GlobalSecondaryIndexes", [])} >= FIRST_VERSION:
            found.insert(0, OF_FIRST_VERSION)
        summary = _summary(described, ttl, recovery) | {"differences": [each._asdict() for each in found]}
        if any(difference.breaks for difference in found):
            return summary, f"The site can't use the table {TableItem.Meta.table_name} as it is."
        return summary, " ".join(schema.status_problems(described))

    def _if_allowed(self, ask: Callable[[], str]) -> str | None:
        try:
            return ask()
        except NotAllowed as exc:
            self.say(str(exc))
            return None

    def _print(self, summary: dict[str, Any]) -> None:
        actions, differences = summary.get("actions", []), summary.get("differences")
        lines = [(label, value) for label, value in summary.items() if not isinstance(value, list)]
        for each in summary.get("indexes", []):
            what = f"{each['name']}: {each['key']}; projects {each['projection']}; {each['status']}"
            lines.append(("index", what))
        for each in actions:
            where = f" on {each['index']}" if each["index"] else ""
            outcome = "allowed" if each["allowed"] else f"REFUSED. {each['problem']}"
            lines.append(("action", f"{each['action']}{where}: {outcome}"))
        for each in differences or []:
            label = "BROKEN" if each["breaks"] else "differs"
            lines.append((label, f"{each['what']} {each['consequence']}"))
        self.stdout.write("\n".join(f"{label:10} {value}" for label, value in lines))
        if differences == [] and all(each["allowed"] for each in actions):
            self.stdout.write("Everything is as expected.")


def _summary(described: dict[str, Any], ttl: str | None, recovery: str | None) -> dict[str, Any]:
    """Return the summary. DynamoDB refreshes the counts about every six hours (DescribeTable in its API Reference)."""
    return {
        "table": described["TableName"],
        "place": where(),
        "status": described["TableStatus"],
        "key": schema.key_text(described["KeySchema"]),
        "billing": schema.billing_mode(described),
        "ttl": "unknown" if ttl is None else ttl or "off",
        "recovery": recovery or "unknown",
        "protection": "on" if described.get("DeletionProtectionEnabled") else "off",
        "items": described.get("ItemCount", 0),
        "bytes": described.get("TableSizeBytes", 0),
        "indexes": [_index(index) for index in described.get("GlobalSecondaryIndexes", [])],
    }


def _index(index: dict[str, Any]) -> dict[str, str]:
    projection = index["Projection"]
    return {
        "name": index["IndexName"],
        "key": schema.key_text(index["KeySchema"]),
        "projection": ", ".join(projection.get("NonKeyAttributes", [projection["ProjectionType"]])),
        "status": index.get("IndexStatus", "unknown"),
    }
