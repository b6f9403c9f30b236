from typing import Any

from django.core.management.base import BaseCommand

from deployments import demo


class Command(BaseCommand):
    help = "Make the demo project with its people and sample CodePushes, unless they exist. Asks for nothing."

    def handle(self, **options: Any) -> None:
        demo.ensure_demo()
        self.stdout.write(f"Demo login: {demo.USERNAME} / {demo.PASSWORD} (an administrator: for this machine only)")
