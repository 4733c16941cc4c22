"""The password hasher."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id with the parameters of the OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane.

    Django's defaults take 100 MiB per login: eight logins at once wouldn't fit into a small instance.
    """

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1
