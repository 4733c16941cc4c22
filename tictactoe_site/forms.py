"""What the site's forms have in common."""

from django import forms


class Form(forms.Form):
    """A form whose mistakes can also be said in one line, for JSON and for htmx."""

    @property
    def sentence(self) -> str:
        """What is wrong, of all fields together."""
        return " ".join(str(error) for errors in self.errors.values() for error in errors)
