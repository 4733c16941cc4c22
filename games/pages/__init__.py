"""The content of each page, ready for the template of the same name. No HTTP, no DynamoDB."""
