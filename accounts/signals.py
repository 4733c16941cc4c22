"""What other apps may want to know of accounts."""

from django.dispatch import Signal

# A session of the player ``player``, a name, has ended by logging out.
logged_out = Signal()
