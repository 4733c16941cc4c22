"""Helpers shared by tests and bench: sites, browsers, engines and players."""
