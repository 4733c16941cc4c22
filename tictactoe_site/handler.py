"""What ``wsgi`` and ``asgi`` share, and the pages' handler: Django's, but no Content-Type makes a request fail."""

import logging
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters

from dynamodb.client import keep_warm
from tictactoe_site import jinja


def start() -> None:
    """Do what would delay the first requests, and log what keeps the site from working."""
    jinja.compile_all()
    if settings.CONFIG:
        keep_warm()
    if settings.SETUP_PROBLEM:
        logging.getLogger(__name__).error("%s", settings.SETUP_PROBLEM)


class Request(WSGIRequest):
    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        """Set ``content_type`` and ``content_params``, empty if they can't be parsed."""
        # Django's own version also sets the encoding, and reads the query string in it before any middleware runs,
        # which raises for charsets such as rot13. This site reads only UTF-8, and middleware.Readable refuses other
        # forms.
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except (ValueError, LookupError):
            self.content_type, self.content_params = "", {}


class Handler(WSGIHandler):
    request_class = Request
