from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts import names, store
from games.management.renaming import LATE, ROUND_SECONDS, RenamingCommand
from games.storage import renaming


class Command(RenamingCommand):
    help = (
        "Delete a player's account: end the sessions, resign the games in progress, and put a placeholder for the name "
        "into all games. Nobody can choose the name for 60 days. This can't be undone. If it's interrupted, run it "
        "again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="the name as it is stored")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        shown = names.printable(name)
        self.check_known(name)
        if options["only_count"]:
            self.say(f"The account of {shown} would end, and {self.games_of(name)} games would lose the name.")
            return
        heir = store.retire(name, names.deleted())
        if not names.is_deleted(heir):
            raise CommandError(f"{shown} has become {heir}: give that name.")
        while not renaming.give_up(name, seconds=ROUND_SECONDS):
            self.say("Ending the games in progress.")
        self.rename_games(name, heir)
        self.say(f"The account of {shown} has ended. Its games have the name {heir}. {LATE}")
