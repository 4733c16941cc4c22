"""Players over HTTP who know only the contract, and retry until they get an answer."""

import time
from collections import Counter
from threading import Lock

import requests

from games import rules
from tests.conftest import PASSWORD
from tests.support.pages import csrf_in, new_game_in

# Errors of unanswered requests, which a browser would send again.
UNANSWERED = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)

_counting = Lock()


class Player:
    """The browser of a guest, or of a player signing up as ``name``. ``told`` counts answers; players may share it."""

    def __init__(self, site: str, told: Counter[int | str] | None = None, *, name: str = "") -> None:
        self.site = site.rstrip("/")
        self.told = Counter() if told is None else told
        self.session = requests.Session()
        self.session.headers["Accept"] = "application/json"
        self.insist("GET", "/accounts/login/", headers={"Accept": "text/html"})
        form = {"username": name, "password": PASSWORD} if name else None
        self.name: str = self.insist("POST", f"/accounts/{'signup' if name else 'guest'}/", form).json()["player"]

    def insist(
        self, method: str, path: str, form: dict[str, str] | None = None, **options: dict[str, str]
    ) -> requests.Response:
        """Return the answer; retry for up to 60 s after a 503, as its Retry-After says, or if there was none."""
        deadline = time.monotonic() + 60
        while True:
            answer = self.once(method, path, form, **options)
            if answer is not None and answer.status_code != 503:
                return answer
            assert time.monotonic() < deadline, f"{method} {path}: no answer in a minute"
            time.sleep(float(answer.headers["Retry-After"]) if answer is not None else 0.2)

    def once(
        self, method: str, path: str, form: dict[str, str] | None = None, **options: dict[str, str]
    ) -> requests.Response | None:
        """Send once; return any answer, or None if the connection broke."""
        headers = {"X-CSRFToken": csrf_in(self.session.cookies)} | options.get("headers", {})
        try:
            answer = self.session.request(method, self.site + path, data=form, headers=headers, timeout=20)
        except UNANSWERED as exc:
            self._note(type(exc).__name__)
            return None
        self._note(answer.status_code)
        return answer

    def _note(self, told: int | str) -> None:
        with _counting:
            self.told[told] += 1

    def invite(self, opponent: str) -> str:
        """Create a game; return its path."""
        form = self.insist("GET", "/games/new/", headers={"Accept": "text/html"})
        game = {"opponent": opponent, "game": new_game_in(form)}
        return f"/games/{self.insist('POST', '/games/new/', game).json()['gameId']}/"

    def move(self, path: str, square: int, position: str) -> requests.Response:
        return self.insist("POST", f"{path}move/", {"square": rules.SQUARES[square], "position": position})
