"""What DynamoDB did not do."""


class StoreUnavailable(Exception):
    """DynamoDB did not do what was asked of it. The text is for the operator."""


class NotAllowed(StoreUnavailable):
    """The policies of this account do not allow the action. The text names it."""
