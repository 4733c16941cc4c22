"""Connects the models to the configured table when Django starts. Nothing is sent yet."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings


class GamesConfig(AppConfig):
    name = "games"

    def ready(self) -> None:
        from games import table

        if settings.CONFIG:
            table.bind(settings.CONFIG)
