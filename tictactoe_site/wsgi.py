"""The WSGI application: ``gunicorn tictactoe_site.wsgi``."""

from __future__ import annotations

import logging
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from games import table

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tictactoe_site.settings")

application = get_wsgi_application()
if settings.CONFIG:
    table.warm_up()
if settings.SETUP_PROBLEM:
    logging.getLogger(__name__).error("%s", settings.SETUP_PROBLEM)
