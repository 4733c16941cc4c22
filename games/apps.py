"""Connects the models to the configured table when Django starts. Nothing is sent yet."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings

from tictactoe_site import table
from tictactoe_site.config import Config


class GamesConfig(AppConfig):
    name = "games"

    def ready(self) -> None:
        table.bind(settings.CONFIG or Config())
