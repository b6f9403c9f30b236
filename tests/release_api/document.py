"""`make openapi`: docs/openapi.json, the release API's document as others build clients from it."""

import json
import os
from pathlib import Path

import django

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "openapi.json"


def render() -> str:
    # Only now: it imports models.
    from codepush_site.api import api  # noqa: PLC0415

    return json.dumps(api.get_openapi_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "codepush_site.settings")
    django.setup()
    DOCUMENT.write_text(render())
