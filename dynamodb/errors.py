"""The errors that this package raises when DynamoDB can't be used."""


class StoreUnavailable(Exception):
    """DynamoDB didn't do the request. The message is for the operator."""


class NotAllowed(StoreUnavailable):
    """A policy of the account refuses the action. The message names the action."""


class Rejected(StoreUnavailable):
    """DynamoDB found the request invalid, so sending it again is of no use."""
