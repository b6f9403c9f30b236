"""How passwords are kept."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id with what OWASP asks for at least: 19 MiB, two passes.

    Django's own figures (100 MiB, eight threads) would let 32 people who sign in at once take 3 GB.
    """

    memory_cost = 19_456
    time_cost = 2
    parallelism = 1
