"""Views of the page about one's account: another password, the end of all sessions, blocked players."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.debug import sensitive_post_parameters

from accounts import browsers, names, sessions, store
from accounts.forms import Confirmed, NewPassword
from accounts.middleware import PlayerRequest
from accounts.signals import logged_out
from accounts.views import WRONG, leave, verified
from tictactoe_site.http import Refusal, SeeOther, go_to, refuse, retry_after, wants_fragment, wants_json


@method_decorator(sensitive_post_parameters("password", "new"), name="dispatch")
class AccountPage(View):
    request: PlayerRequest

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = self.request.user
        if user.is_authenticated and not user.is_guest:
            try:
                return super().dispatch(request, *args, **kwargs)
            except store.NoSuchPlayer:  # The account has just ended, in another browser or by the operator.
                return leave(self.request)
        if request.method == "POST":
            return refuse(request, 403, "Log in, and try again.", log_in=True)
        return SeeOther(reverse("login", query={"next": request.path}))

    def page(self, request: PlayerRequest, error: str = "", status: int = 200) -> HttpResponse:
        """Return the page, or for scripts the error alone."""
        if error and (wants_json(request) or wants_fragment(request)):
            return refuse(request, status, error)
        context = {"player": store.details(request.user.name), "error": error, "failed": request.path}
        return render(request, "accounts/account.html", context, status=status)


class AccountView(AccountPage):
    """Shows a player what is stored about them, and what they can do with it."""

    def get(self, request: PlayerRequest) -> HttpResponse:
        return self.page(request)


class AccountForm(AccountPage):
    def post(self, request: PlayerRequest) -> HttpResponse:
        try:
            return self.act(request, request.user.name)
        except Refusal as exc:
            return retry_after(self.page(request, str(exc), exc.status), exc.wait)

    def act(self, request: PlayerRequest, name: str) -> HttpResponse:
        """Return the response to a form that was carried out. Raises Refusal."""
        raise NotImplementedError

    def confirmed(self, request: PlayerRequest, form: Confirmed) -> None:
        """Raise Refusal, unless the form is valid and has the player's password."""
        if not form.is_valid():
            raise Refusal(form.sentence)
        if not verified(request, request.user.name, form.cleaned_data["password"]):
            raise Refusal(WRONG, 403)


class PasswordView(AccountForm):
    """Another password. It ends all other sessions."""

    def act(self, request: PlayerRequest, name: str) -> HttpResponse:
        form = NewPassword(name, request.POST)
        self.confirmed(request, form)
        store.set_password(name, form.cleaned_data["new"], assuming=store.in_session(sessions.generation(request)))
        logged_out.send(sender=PasswordView, player=name)
        sessions.log_in(request, name)
        return browsers.remember(request, go_to(request, reverse("account"), {"player": name}), name)


class EverywhereView(AccountForm):
    """The end of all sessions, also of copied cookies."""

    def act(self, request: PlayerRequest, name: str) -> HttpResponse:
        store.end_sessions(name)
        return leave(request)


class BlockView(AccountForm):
    """Hides what another player sends; with ``undo``, shows it again."""

    def act(self, request: PlayerRequest, name: str) -> HttpResponse:
        try:
            other = names.invitable(request.POST.get("player", ""))
        except names.NameNotAllowed as exc:
            raise Refusal(str(exc)) from exc
        change = store.unblock if "undo" in request.POST else store.block
        change(name, other)
        return go_to(request, reverse("account"), {"player": name, "blocked": other})
