"""What DynamoDB did not do."""

from __future__ import annotations


class StoreUnavailable(Exception):
    """DynamoDB did not do what was asked of it. The text is for the operator."""


class NotAllowed(StoreUnavailable):
    """The policies of this account do not allow the action. The text names it."""
