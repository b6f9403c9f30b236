"""Whatever comes in, the device plane answers, and is not to blame (`tests.bench_fuzz` tries 100,000)."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests import device_fuzz
from tests.factories import BuildFactory


@pytest.fixture
def _known_build(db: None) -> None:
    BuildFactory(deployment_key=device_fuzz.KEY)


@pytest.mark.usefixtures("_known_build")
@given(device_fuzz.requests)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_answered(request_: dict[str, Any]) -> None:
    reply = device_fuzz.ask(request_)
    assert device_fuzz.is_honest(reply), (reply.status, reply.headers)


@pytest.mark.usefixtures("_known_build")
def test_the_fuzzer_reaches_answers_of_all_kinds() -> None:
    asked = {"method": "GET", "path": "/api/updateCheck", "headers": {}, "body": b""}
    queries = [
        "deploymentKey=fuzzed-deployment-key&appVersion=3.0.0",
        "deploymentKey=unknown-key-1&appVersion=3.0.0",
        "",
    ]
    assert [device_fuzz.ask({**asked, "query": query}).status for query in queries] == [200, 404, 400]
