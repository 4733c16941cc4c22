"""The WSGI application: ``gunicorn tictactoe_site.wsgi``."""

import os

import django
from django.conf import settings

from dynamodb import startup
from tictactoe_site.handler import Handler, start

os.environ["DJANGO_SETTINGS_MODULE"] = "tictactoe_site.settings"

django.setup(set_prefix=False)
application = Handler()
start()
if settings.CONFIG:
    startup.get_ready_in_background()
