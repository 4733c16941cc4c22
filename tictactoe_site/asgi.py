"""The ASGI application of the ``live`` process, for event streams alone: pages are six times as fast under WSGI."""

import os

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tictactoe_site.settings"
django.setup()

from games.live.application import Live  # noqa: E402
from tictactoe_site.handler import start  # noqa: E402

start()
application = Live()
