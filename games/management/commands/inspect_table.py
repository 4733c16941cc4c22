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
        parser.add_argument(
            "--probe",
            action="store_true",
            help="try each action of the site with a request that changes nothing (3 write units, 2 read units)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        summary, problem = self._described()
        # A table with another schema belongs to somebody else, so leave it alone.
        if options["probe"] and not any(difference["breaks"] for difference in summary.get("differences", [])):
            tried = probes.try_actions()
            summary["actions"] = [_action(probe, refusal) for probe, refusal in tried]
            refused = [probe.action for probe, refusal in tried if refusal]
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
        summary = _summary(described, ttl, recovery)
        summary |= {"differences": [difference._asdict() for difference in found]}
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
        for label in ("table", "place", "status", "key", "billing", "ttl", "recovery", "protection", "items", "bytes"):
            if label in summary:
                self.stdout.write(f"{label:10} {summary[label]}")
        for index in summary.get("indexes", []):
            self.stdout.write(
                f"index      {index['name']}: {index['key']}; projects {index['projection']}; {index['status']}"
            )
        for action in summary.get("actions", []):
            where = f" on {action['index']}" if action["index"] else ""
            outcome = "allowed" if action["allowed"] else f"REFUSED. {action['problem']}"
            self.stdout.write(f"action     {action['action']}{where}: {outcome}")
        for difference in summary.get("differences", []):
            self.stdout.write(
                f"{'BROKEN' if difference['breaks'] else 'differs':10} {difference['what']} {difference['consequence']}"
            )
        if summary.get("differences") == [] and all(action["allowed"] for action in summary.get("actions", [])):
            self.stdout.write("Everything is as expected.")


def _action(probe: probes.Probe, problem: str) -> dict[str, Any]:
    return {"action": probe.action, "index": probe.index, "allowed": not problem, "problem": problem}


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
