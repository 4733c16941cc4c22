"""The site's own answers: whether it can serve, and what it says when Django refuses a request."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from games import provisioning, schema
from games.errors import StoreUnavailable
from games.table import TableItem
from tictactoe_site.answers import refuse


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Whether the table answers and is one that the site can use; 503 and why otherwise."""
    problem = _problem()
    if problem:
        return JsonResponse({"error": problem}, status=503, headers={"Retry-After": "5"})
    return JsonResponse({"status": "ok", "table": TableItem.Meta.table_name})


def _problem() -> str:
    try:
        described = provisioning.describe()
    except StoreUnavailable as exc:
        return str(exc)
    if described is None:
        return f"There is no table {TableItem.Meta.table_name}: run manage.py create_table."
    if described["TableStatus"] not in ("ACTIVE", "UPDATING"):
        return f"The table {TableItem.Meta.table_name} is {described['TableStatus']}: wait until it is ACTIVE."
    return schema.broken(described)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refuse(request, 400, "The browser sent something this site can't read: go back and try again.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refuse(request, 403, "This is not yours to do.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return refuse(request, 403, "This form is out of date, or cookies are off: reload the page and try again.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refuse(request, 404, "There is no such page.")


def server_error(request: HttpRequest) -> HttpResponse:
    return refuse(request, 500, "Something went wrong here, not with you: try again in a moment.")
