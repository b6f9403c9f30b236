"""What the frame of every page shows: where one is, and how many CodePushes are under way."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from deployments.listings import count_running

_AREAS = (("Projects", "project_list"), ("Deployments", "deployment_list"), ("Audit log", "audit_list"))


@dataclass(frozen=True)
class Area:
    """A link of the main navigation. `current`: "page" on the page itself, "true" on those below it, else ""."""

    name: str
    url: str
    current: str


def describe_shell(request: HttpRequest) -> dict[str, Any]:
    """A context processor. `count_running` costs one query where a template asks for it, and nothing elsewhere."""
    counts: Callable[[], int] = partial(count_running, request.user) if hasattr(request, "user") else int
    return {"areas": [_describe_area(request.path, *area) for area in _AREAS], "count_running": counts}


def _describe_area(path: str, name: str, url_name: str) -> Area:
    url = reverse(url_name)
    return Area(name, url, "page" if path == url else "true" if path.startswith(url) else "")
