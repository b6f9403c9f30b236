from django.apps import AppConfig


class ReleaseApiConfig(AppConfig):
    name = "release_api"
    verbose_name = "Release API"
