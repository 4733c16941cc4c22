"""The ASGI application of the ``live`` process: ``gunicorn -c gunicorn.live.conf.py tictactoe_site.asgi``.

It serves only event streams. ``tictactoe_site.wsgi`` serves the pages: Django is six times as fast under WSGI.
"""

import logging
import os

import django
from django.conf import settings

from dynamodb.client import keep_warm

os.environ["DJANGO_SETTINGS_MODULE"] = "tictactoe_site.settings"
django.setup()

from games.live.application import Live  # noqa: E402
from tictactoe_site import jinja, logs  # noqa: E402

jinja.compile_all()
logs.write_json()
application = Live()
if settings.CONFIG:
    keep_warm()
if settings.SETUP_PROBLEM:
    logging.getLogger(__name__).error("%s", settings.SETUP_PROBLEM)
