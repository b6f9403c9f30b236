import os
import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from builds.errors import DomainError
from sign_in import accounts

_VARIABLE = "ADMIN_PASSWORD"


class Command(BaseCommand):
    help = f"Make an account with every right, unless it is there. Asks for the password, or reads {_VARIABLE}."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--username", required=True, help="What the person signs in with.")
        parser.add_argument("--email", default="", help="Where a mail goes that resets the password.")

    def handle(self, **options: Any) -> None:
        username, email = options["username"], options["email"]
        if accounts.is_admin(username):
            self.stdout.write(f"{username} is an administrator already. Nothing was changed.")
            return
        try:
            accounts.create_admin(username=username, email=email, password=_read_password())
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(f"{username} is an administrator now. Sign in, and set up a second factor under Account.")


def _read_password() -> str:
    """Not an argument: those are seen by every user of the machine."""
    if password := os.environ.get(_VARIABLE):
        return password
    if not sys.stdin.isatty():
        raise CommandError(f"There is no terminal to ask at. Set {_VARIABLE}.")
    password = getpass("Password: ")
    if getpass("Again: ") != password:
        raise CommandError("These are two different passwords. Nothing was made.")
    return password
