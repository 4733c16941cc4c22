"""Signals from accounts to other apps."""

from django.dispatch import Signal

# Sent when a session of the player's has ended: by logging out, or by another password. ``player`` is the name.
logged_out = Signal()
