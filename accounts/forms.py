"""The two forms that ask for a name and a password."""

from django import forms
from django.contrib.auth.password_validation import validate_password

from accounts import names
from tictactoe_site.forms import Form


class LogIn(Form):
    """A player's name and password, as typed."""

    username = forms.CharField(max_length=100, error_messages={"required": "Type your name."})
    password = forms.CharField(max_length=1000, strip=False, error_messages={"required": "Type a password."})

    def clean_username(self) -> str:
        try:
            return names.claimable(self.cleaned_data["username"])
        except names.NameNotAllowed as exc:
            raise forms.ValidationError(str(exc)) from exc


class SignUp(LogIn):
    """The same, for somebody new: the password must be hard to guess."""

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password)
        return password
