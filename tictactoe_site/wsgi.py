"""The WSGI application: ``gunicorn tictactoe_site.wsgi``."""

import logging
import os

import django
from django.conf import settings

from dynamodb import startup
from dynamodb.client import keep_warm
from tictactoe_site import jinja
from tictactoe_site.handler import Handler

os.environ["DJANGO_SETTINGS_MODULE"] = "tictactoe_site.settings"

django.setup(set_prefix=False)
application = Handler()
jinja.compile_all()
if settings.CONFIG:
    keep_warm()
    startup.get_ready_in_background()
if settings.SETUP_PROBLEM:
    logging.getLogger(__name__).error("%s", settings.SETUP_PROBLEM)
