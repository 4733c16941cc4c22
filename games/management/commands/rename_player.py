from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts import names, store
from games.management.renaming import LATE, RenamingCommand


class Command(RenamingCommand):
    help = (
        "Give a player another name: the account, all games, and the records of both sides. OLD is any stored name, "
        "also one that this site doesn't allow, such as those of the AWS example. If OLD has no account, the player "
        "can then sign up as NEW. Sessions end, and nobody can choose OLD for 60 days. If it's interrupted, run it "
        "again."
    )
    errors = (*RenamingCommand.errors, store.NameTaken)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("old", metavar="OLD", help="the name as it is stored")
        parser.add_argument("new", metavar="NEW", help="a name that nobody has")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        old = options["old"]
        try:
            new = names.claimable(options["new"])
        except names.NameNotAllowed as exc:
            raise CommandError(str(exc), returncode=2) from exc
        shown = names.printable(old)
        heir = store.heir(old)
        if heir not in (None, new):
            raise CommandError(f"{shown} has become {heir}: give that name.")
        if heir is None:  # otherwise this goes on where it was interrupted
            self.check_known(old)
            if self.is_known(new) and not store.is_same(old, new):
                raise CommandError(f"Somebody is called {new} already: choose another name.")
        if options["only_count"]:
            self.say(f"{shown} would become {new} in {self.games_of(old)} games.")
            return
        store.move(old, new)
        self.rename_games(old, new)
        self.say(f"{shown} is {new} now. {LATE}")
