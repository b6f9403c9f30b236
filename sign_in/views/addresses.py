"""The address of this server in mails."""

from django.conf import settings
from django.http import HttpRequest


def find_server(request: HttpRequest) -> str:
    """Without a slash at the end. As the operator says; else as the browser called it, which ALLOWED_HOSTS allows."""
    return settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}"
