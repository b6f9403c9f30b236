from django.apps import AppConfig

# Connects the signals; after the settings, which say where numbers are kept.
from telemetry import tasks


class TelemetryConfig(AppConfig):
    name = "telemetry"

    def ready(self) -> None:
        tasks.connect()
