"""One DynamoDB table with PynamoDB: conditional writes, retries, reply checks, metering, schema, provisioning.

Nothing here knows what the items are, and nothing imports Django: copy the folder into another
project, define your items' partition key in a subclass of ``items.TableItem``, and call ``items.bind``.
"""
