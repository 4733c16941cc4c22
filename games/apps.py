"""Connects the models to the configured table, and hints to logouts, when Django starts. This sends no request."""

from django.apps import AppConfig
from django.conf import settings

from accounts.signals import logged_out
from tictactoe_site import table
from tictactoe_site.config import Config


class GamesConfig(AppConfig):
    name = "games"

    def ready(self) -> None:
        from games import hints, models  # noqa: F401 - the table's indexes are read off the models

        table.bind(settings.CONFIG or Config())
        logged_out.connect(hints.logged_out)
