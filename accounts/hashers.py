"""How passwords are stored."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id with the parameters of the OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane.

    Django's own take 100 MiB a login: eight at once would not fit the small instances this runs on.
    """

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1
