from importlib import import_module

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "webhooks"

    def ready(self) -> None:
        # From here on it hears of audit entries. Not above: models cannot be imported there yet.
        import_module("webhooks.outbox")
