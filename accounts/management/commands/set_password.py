import secrets
from argparse import ArgumentParser
from typing import Any

from accounts import store
from tictactoe_site.commands import TableCommand


class Command(TableCommand):
    help = (
        "Give a player a new random password, print it, and log the player out everywhere. Make sure that it's the "
        "player who asks you. Send the password in a way that nobody else can read, and tell them to change it on "
        "their account's page."
    )
    errors = (*TableCommand.errors, store.NoSuchPlayer)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="the player's name")

    def handle(self, *args: Any, **options: Any) -> None:
        password = secrets.token_urlsafe(12)
        store.set_password(options["name"], password)
        self.stdout.write(password)
        self.say(f"This is the new password of {options['name']}. Sessions end within five minutes.")
