"""Measurements, which are no tests: each is run by itself on a machine that does nothing else."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tictactoe_site.settings")
