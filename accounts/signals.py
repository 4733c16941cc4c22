"""Signals from accounts to other apps."""

from django.dispatch import Signal

# Sent when somebody logs out. ``player`` is the name.
logged_out = Signal()
