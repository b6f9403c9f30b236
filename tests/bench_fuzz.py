"""100,000 requests of any bytes to the device plane (INPUTS=…): answered with 2xx, 3xx or 4xx, none stuck."""

import os
import time
from collections import Counter

import django

django.setup()

from hypothesis import HealthCheck, Phase, given, settings  # noqa: E402

from builds.models import Build  # noqa: E402
from tests import device_fuzz  # noqa: E402
from tests.factories import BuildFactory, CodePushFactory  # noqa: E402

INPUTS = int(os.environ.get("INPUTS", "100000"))
# hypothesis slows down with the number of examples that it keeps in mind.
_BATCH = 1000


def main() -> None:
    statuses: Counter[int] = Counter()
    slowest = 0.0

    @given(device_fuzz.requests)
    @settings(
        max_examples=_BATCH,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(request: dict[str, object]) -> None:
        nonlocal slowest
        start = time.monotonic()
        reply = device_fuzz.ask(request)
        slowest = max(slowest, time.monotonic() - start)
        statuses[reply.status] += 1
        assert device_fuzz.is_honest(reply), (reply.status, request)

    if not Build.objects.filter(deployment_key=device_fuzz.KEY).exists():
        CodePushFactory(build=BuildFactory(deployment_key=device_fuzz.KEY))
    while statuses.total() < INPUTS:
        ask()
    kinds = ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items()))
    print(f"{statuses.total():,} fuzzed requests: {kinds}; the slowest took {slowest * 1000:.0f} ms")


if __name__ == "__main__":
    main()
