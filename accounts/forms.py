"""The login and sign-up forms."""

from django import forms
from django.contrib.auth.password_validation import validate_password

from accounts import names
from tictactoe_site.forms import Form


class LogIn(Form):
    """The form for a player's name and password."""

    username = forms.CharField(max_length=100, error_messages={"required": "Type your name."})
    password = forms.CharField(max_length=1000, strip=False, error_messages={"required": "Type a password."})

    def clean_username(self) -> str:
        try:
            return names.claimable(self.cleaned_data["username"])
        except names.NameNotAllowed as exc:
            raise forms.ValidationError(str(exc)) from exc


class SignUp(LogIn):
    """The form for a new player: the password must also be hard to guess."""

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password)
        return password
