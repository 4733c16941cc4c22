"""The ASGI application of the ``live`` process, for event streams alone: pages are six times as fast under WSGI."""

import logging
import os

import django
from django.conf import settings

from dynamodb.client import keep_warm

os.environ["DJANGO_SETTINGS_MODULE"] = "tictactoe_site.settings"
django.setup()

from games.live.application import Live  # noqa: E402
from tictactoe_site import jinja  # noqa: E402

jinja.compile_all()
application = Live()
if settings.CONFIG:
    keep_warm()
if settings.SETUP_PROBLEM:
    logging.getLogger(__name__).error("%s", settings.SETUP_PROBLEM)
