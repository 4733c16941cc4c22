"""The base class of the site's forms."""

from django import forms


class Form(forms.Form):
    """A form that can also show its errors in one line, for JSON and fragments."""

    @property
    def sentence(self) -> str:
        return " ".join(str(error) for errors in self.errors.values() for error in errors)
