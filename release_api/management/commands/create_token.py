from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from builds.errors import DomainError
from builds.models import Project, Role
from release_api.tokens import create_token


class Command(BaseCommand):
    help = "Make a token of the release API for a user, and print only the token. It is shown this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", required=True, help="The name that the person signs in with.")
        parser.add_argument(
            "--project", help="Address of the only project that it reaches. Default: all of the user's."
        )
        parser.add_argument("--role", choices=Role.values, default=Role.ADMIN, help="The most it may do.")
        parser.add_argument("--expires-days", type=int, help="Default: it does not expire.")
        parser.add_argument("--name", default="create_token", help="What it is for, as lists show it.")

    def handle(self, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']!r}.")
        try:
            _, text = create_token(
                actor=user,
                name=options["name"],
                role=options["role"],
                project=_find_project(options["project"]),
                expires_in_days=options["expires_days"],
            )
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(text)


def _find_project(slug: str | None) -> Project | None:
    if slug is None:
        return None
    project = Project.objects.filter(slug=slug).first()
    if project is None:
        raise CommandError(f"There is no project {slug!r}.")
    return project
