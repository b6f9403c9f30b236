from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sign_in import sealed


class Command(BaseCommand):
    help = "Seal what second factors are made of with SECRET_KEY itself, as every night does: fallbacks may go then."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--undo", action="store_true", help="Nothing is sealed: before going back to a version that cannot open it."
        )

    def handle(self, **options: Any) -> None:
        written, closed = sealed.unseal_all() if options["undo"] else sealed.seal_all()
        self.stdout.write(f"{written} {'opened' if options['undo'] else 'sealed anew'}.")
        if closed:
            raise CommandError(
                f"{closed} cannot be opened: another SECRET_KEY sealed them. Name it in SECRET_KEY_FALLBACKS, or "
                "remove these people's factors in the admin."
            )
