"""The forms for names and passwords."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from accounts import names
from accounts.sessions import User


class Form(forms.Form):
    """A form that can also show its errors in one line, for JSON and fragments."""

    @property
    def sentence(self) -> str:
        return " ".join(str(error) for errors in self.errors.values() for error in errors)


class Guessable:
    """The validator of passwords that are long enough, but of few characters, or hardly more than a name."""

    FEWEST = 4

    def validate(self, password: str, user: User | None = None) -> None:
        text = _letters(password)
        rest = text.replace("tictactoe", "").replace(_letters(user.name if user else ""), "")
        is_name = rest != text and (len(set(rest)) < self.FEWEST or rest.isdigit())
        if is_name or len(set(password)) < self.FEWEST:
            raise ValidationError("This password is easy to guess: choose another.")


def _letters(text: str) -> str:
    """Return the letters and digits alone: a name may have - and _, and people leave them out or add some."""
    return "".join(filter(str.isalnum, text.casefold()))


def _password(**more: str) -> forms.CharField:
    errors = {"required": "Type a password."} | more
    return forms.CharField(max_length=1000, strip=False, error_messages=errors)


def _judged(password: str, name: str) -> str:
    """Return the player's new password. Raises ValidationError if it's easy to guess."""
    player: Any = User(name)  # The validators of settings.AUTH_PASSWORD_VALIDATORS need no more than the name.
    validate_password(password, player)
    return password


class LogIn(Form):
    """The form for a player's name and password."""

    allowed = staticmethod(names.possible)
    username = forms.CharField(max_length=100, error_messages={"required": "Type your name."})
    password = _password()

    def clean_username(self) -> str:
        try:
            return self.allowed(self.cleaned_data["username"])
        except names.NameNotAllowed as exc:
            raise forms.ValidationError(str(exc)) from exc


class SignUp(LogIn):
    """The form for a new player: the name mustn't mislead others, and the password must be hard to guess."""

    allowed = staticmethod(names.claimable)

    def clean_password(self) -> str:
        return _judged(self.cleaned_data["password"], self.cleaned_data.get("username", ""))


class Confirmed(Form):
    """A form that the player confirms with the password."""

    password = _password()


class NewPassword(Confirmed):
    """The form for another password."""

    new = _password(required="Type the new password.")

    def __init__(self, player: str, data: Any = None) -> None:
        super().__init__(data)
        self.player = player

    def clean_new(self) -> str:
        return _judged(self.cleaned_data["new"], self.player)
