"""What the release API costs: 50 of 10,000 updates of a build, over HTTP. On the database that DATABASE_URL names."""

import json
import os
import sys
import time
from urllib.request import Request, urlopen

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.db import connection  # noqa: E402

from builds.models import Role  # noqa: E402
from builds.services import create_project, register_build  # noqa: E402
from deployments.models import CodePush  # noqa: E402
from deployments.selectors import list_related_codepushes  # noqa: E402
from release_api.tokens import create_token  # noqa: E402
from tests.factories import BundleFactory  # noqa: E402

UPDATES, PAGE, REQUESTS = 10_000, 50, 100


def main(url: str) -> None:
    user = User.objects.create_user(f"bench-api-{time.time()}")
    build = register_build(
        create_project(actor=user, name=user.username),
        actor=user,
        platform="android",
        build_target="production",
        store_version="3.0.0",
        status="success",
    )
    bundle = BundleFactory(content=user.username, manifest={f"CodePush/asset-{n}.png": "0" * 64 for n in range(500)})
    CodePush.objects.bulk_create(
        CodePush(build=build, status="success", label_number=number, bundle=bundle, created_by=user)
        for number in range(1, UPDATES + 1)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    _, text = create_token(actor=user, name="bench", role=Role.ADMIN)
    for offset in (0, UPDATES // 2, UPDATES - PAGE):
        # Twice: each thread of the server opens a connection to the database at its first request.
        latencies = sorted([_list(url, text, build.pk, offset) for _ in range(2 * REQUESTS)][REQUESTS:])
        p50, p95 = latencies[REQUESTS // 2], latencies[REQUESTS * 95 // 100]
        print(f"list {PAGE} of {UPDATES:,} updates from {offset:>6,}: p50 {p50 * 1000:.1f} ms, p95 {p95 * 1000:.1f} ms")
    if os.environ.get("BENCH_PLANS"):
        print(list_related_codepushes(build)[:PAGE].explain(analyze=True))


def _list(url: str, token: str, build_id: int, offset: int) -> float:
    path = f"{url}/api/v1/builds/{build_id}/codepushes?limit={PAGE}&offset={offset}"
    request = Request(path, headers={"Authorization": f"Bearer {token}"})
    start = time.monotonic()
    with urlopen(request) as answer:
        items = json.load(answer)["items"]
    seconds = time.monotonic() - start
    assert len(items) == PAGE
    return seconds


if __name__ == "__main__":
    main(sys.argv[1])
