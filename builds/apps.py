from importlib import import_module

from django.apps import AppConfig
from django.db import connection


class BuildsConfig(AppConfig):
    name = "builds"

    def ready(self) -> None:
        if connection.vendor == "postgresql":
            # From here on new connections read times by it. Elsewhere its driver would be loaded for nothing.
            import_module("builds.quick_moments")
