"""Views to sign up, log in, log out, and play as a guest."""

from ipaddress import IPv4Address, IPv6Network, ip_address

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View
from django.views.decorators.debug import sensitive_post_parameters

from accounts import browsers, names, sessions, store
from accounts.forms import LogIn, SignUp
from accounts.middleware import PlayerRequest
from accounts.names import is_guest
from accounts.signals import logged_out
from tictactoe_site.http import Refusal, SeeOther, go_to, refuse, retry_after, wants_fragment, wants_json

# The longest form of an IPv6 address. ip_address() accepts a zone id of any length after it, so we cut the text first.
LONGEST_ADDRESS = 45
WRONG = "Wrong password. Try again, or see what to do if you forgot it."


@method_decorator(sensitive_post_parameters("password"), name="dispatch")
class CredentialsView(View):
    """The page that asks for a name and a password. It redirects a player who is already logged in to ``next``."""

    form_class: type[LogIn]

    def get(self, request: PlayerRequest) -> HttpResponse:
        if request.user.is_authenticated and not request.user.is_guest:
            return SeeOther(_next(request))
        return _page(request, self.form_class(initial={"username": request.GET.get("name", "")}))

    def post(self, request: PlayerRequest) -> HttpResponse:
        form = self.form_class(request.POST)
        if not form.is_valid():
            return _page(request, form, status=400)
        try:
            self.enter(request, form.cleaned_data["username"], form.cleaned_data["password"])
        except Refusal as exc:
            return retry_after(_page(request, form, status=exc.status, error=str(exc)), exc.wait)
        return _logged_in(request, form.cleaned_data["username"])

    def enter(self, request: PlayerRequest, name: str, password: str) -> None:
        """Raise Refusal unless the player may enter with this name and password."""
        raise NotImplementedError


class LogInView(CredentialsView):
    form_class = LogIn

    def enter(self, request: PlayerRequest, name: str, password: str) -> None:
        right = verified(request, name, password)
        unclaimed = f"Nobody has the name {name} yet: choose “Create account” to make it yours."
        if not right:
            raise Refusal(WRONG if right is False else unclaimed, 403)


class SignUpView(CredentialsView):
    form_class = SignUp

    def enter(self, request: PlayerRequest, name: str, password: str) -> None:
        try:
            store.claim(name, password, address=address_of(request))
        except store.NameTaken:
            # By this very form, if it was sent twice.
            if not verified(request, name, password):
                raise


class GuestView(View):
    def post(self, request: PlayerRequest) -> HttpResponse:
        if request.user.is_authenticated:
            return go_to(request, _next(request), {"player": request.user.name})
        return _logged_in(request, names.new_guest())


class LogOutView(View):
    """Ends this browser's session; a copy of its cookie still works."""

    def post(self, request: PlayerRequest) -> HttpResponse:
        return leave(request)


def verified(request: PlayerRequest, name: str, password: str) -> bool | None:
    """Whether the password is right; None if nobody has the name. Raises Refusal, StoreUnavailable."""
    browser = browsers.id_of(request, name)
    if not browser and name == request.user.name:
        browser = f"session#{name}"  # Whoever is logged in already is as well known.
    return store.verify(name, password, address=address_of(request), browser=browser)


def leave(request: PlayerRequest) -> HttpResponse:
    """Log out, end the player's streams, and lead to the start page."""
    if request.user.is_authenticated:
        logged_out.send(sender=LogOutView, player=request.user.name)
    sessions.log_out(request)
    return go_to(request, "/", {"player": None})


def address_of(request: HttpRequest) -> str:
    """Return what limits count as one client: the connection's or, if nginx on this machine connects, what it sends."""
    # nginx sends one address in X-Forwarded-For (.platform/nginx/conf.d/forwarded.conf). If another proxy has appended
    # one, the last counts. Anything else than an IP address is ignored, because this becomes a key in the table.
    peer = _limited_as(request.META["REMOTE_ADDR"])
    if peer not in ("127.0.0.1", "::1"):
        return peer or str(request.META["REMOTE_ADDR"])
    return _limited_as(request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()) or peer


def _limited_as(text: str) -> str:
    """Return the address, or the /64 network of an IPv6 address, which one client may have; empty if it's neither."""
    try:
        address = ip_address(text[:LONGEST_ADDRESS])
    except ValueError:
        return ""
    address = getattr(address, "ipv4_mapped", None) or address
    if isinstance(address, IPv4Address) or address.is_loopback:
        return str(address)
    return str(IPv6Network((int(address), 64), strict=False))


def _logged_in(request: PlayerRequest, name: str) -> HttpResponse:
    sessions.log_in(request, name, once=request.user.name if request.user.is_guest else "")
    response = go_to(request, _next(request), {"player": name})
    return response if is_guest(name) else browsers.remember(request, response, name)


def _page(request: PlayerRequest, form: LogIn, *, status: int = 200, error: str = "") -> HttpResponse:
    if wants_json(request) or wants_fragment(request):
        return refuse(request, status, error or form.sentence)
    context = {"form": form, "error": error, "next": _next(request), "claiming": isinstance(form, SignUp)}
    return render(request, "accounts/login.html", context, status=status)


def _next(request: PlayerRequest) -> str:
    """Return the URL to go to next: the one in the request if it's on this site, otherwise the start page."""
    url = request.POST.get("next") or request.GET.get("next") or "/"
    within = url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)
    return iri_to_uri(url) if within else "/"
