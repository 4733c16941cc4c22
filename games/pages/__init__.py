"""What each page says, ready for its template of the same name. No HTTP, no DynamoDB."""
