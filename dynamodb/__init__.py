"""One DynamoDB table behind PynamoDB: conditional writes, retries, replies, metering, schema, provisioning.

Nothing here knows what the items are, and nothing imports Django: copy the folder into another
project, give your items a key on a subclass of ``items.TableItem``, and call ``items.bind``.
"""
