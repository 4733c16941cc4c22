"""The form that starts a game."""

from typing import Any

from django import forms

from accounts import names
from accounts.forms import Form
from games import rules, signing
from games.errors import MalformedInput
from games.match import PACES
from games.pages.game import LEVELS_SAID, PACES_SAID
from games.rules.computer import LEVELS, PERFECT
from games.rules.computer import NAME as COMPUTER


class NewGame(Form):
    """The opponent of a new game: a name, nobody (an open invitation), or the computer, with a level and no pace.

    Against the computer, the form may carry a first ``square``: the host then begins. It also carries the new game's
    signed id, so that sending it twice creates one game.
    """

    opponent = forms.CharField(required=False, max_length=100)
    level = forms.TypedChoiceField(
        required=False,
        empty_value=PERFECT,
        choices=list(LEVELS_SAID.items()),
        error_messages={"invalid_choice": f"The computer plays {', '.join(LEVELS)}: choose one."},
    )
    pace = forms.TypedChoiceField(
        label="Time for each move",
        required=False,
        empty_value=None,
        coerce=PACES.get,
        choices=list(PACES_SAID.items()),
        error_messages={"invalid_choice": f"The time for each move is {', '.join(PACES)}: choose one."},
    )
    square = forms.CharField(required=False)
    game = forms.Field(required=False)

    def __init__(self, host: str, data: Any = None) -> None:
        super().__init__(data, initial={"game": signing.new_game()})
        self.host = host

    @property
    def hidden_errors(self) -> list[str]:
        """Errors of all fields except ``opponent``; the page shows that field's error beside it."""
        return [str(error) for name, errors in self.errors.items() if name != "opponent" for error in errors]

    def clean_opponent(self) -> str:
        text: str = self.cleaned_data["opponent"]
        if not text or text.casefold() == COMPUTER:
            return text.casefold()
        try:
            name = names.invitable(text)
        except names.NameNotAllowed as exc:
            raise forms.ValidationError(str(exc)) from exc
        if name == self.host:
            raise forms.ValidationError("That is you: invite somebody else.")
        return name

    def clean_square(self) -> int | None:
        text: str = self.cleaned_data["square"]
        try:
            return rules.square_named(text) if text else None
        except rules.Malformed as exc:
            raise forms.ValidationError(str(exc)) from exc

    def clean_game(self) -> str | None:
        text: str = self.cleaned_data["game"]
        try:
            return signing.unsigned_game(text) if text else None
        except MalformedInput as exc:
            self.data = dict(self.data.items()) | {"game": signing.new_game()}  # The form is shown again.
            raise forms.ValidationError(str(exc)) from exc
