"""`decide` on precomputed snapshots against the rules read literally: a model that scans the whole history."""

from dataclasses import asdict, dataclass
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builds.models import Build
from deployments.models import BundleDiff, CodePush
from deployments.policy.decision import decide
from deployments.policy.types import Candidate, Download, Snapshot, UpdateQuery
from deployments.policy.version_range import find_version
from deployments.snapshot_builder import build_snapshot
from tests.factories import BuildFactory, CodePushFactory
from tests.policy.histories import Release, bundle_of, hash_of, publish

# What a device of the 3.0.0 build may say it is: -1 older, 0 the same, 1 newer.
VERSIONS = {"2.9": -1, "3.0.0-beta": -1, "3": 0, "3.0.0": 0, "3.0.0+7": 0, "3.0.1": 1}


@dataclass(frozen=True)
class Query:
    app_version: str
    label: str
    package_hash: str
    client_unique_id: str
    is_companion: bool


@dataclass
class Expected:
    label: str = ""
    is_mandatory: bool = False
    is_diff: bool = False
    app_version: str = ""
    update_app_version: bool = False
    should_run_binary_version: bool = False


def model(history: list[CodePush], diffs: set[tuple[str, str]], query: Query) -> Expected:
    """docs/protocol.md, "What a device is offered", rules 3 to 7. `history`: successes, newest first."""
    enabled = [update for update in history if update.is_enabled]
    if not enabled:
        return Expected(should_run_binary_version=True)
    if VERSIONS[query.app_version] != 0 and not query.is_companion:
        is_older = VERSIONS[query.app_version] < 0
        return Expected(app_version="3.0.0", update_app_version=is_older, should_run_binary_version=True)
    included = [update for update in enabled if includes(update, query.client_unique_id)]
    if not included:
        return Expected(should_run_binary_version=True)
    candidate = included[0]
    if query.label:
        own = next((update for update in history if update.label == query.label), None)
    else:
        own = next((update for update in history if package_hash(update) == query.package_hash), None)
    own_number = number(own) if own else 0
    if own in enabled and own_number > number(candidate):
        return Expected()
    if package_hash(candidate) == query.package_hash:
        return Expected()
    between = [update for update in enabled if own_number < number(update) < number(candidate)]
    return Expected(
        label=candidate.label,
        is_mandatory=any(update.is_mandatory for update in (candidate, *between)),
        is_diff=(query.package_hash, package_hash(candidate)) in diffs,
        app_version=query.app_version,
    )


def includes(update: CodePush, client: str) -> bool:
    if update.rollout_percent == 100 or not client:
        return update.rollout_percent == 100
    bucket = int(sha256(f"{update.deployment_id}:{client}".encode()).hexdigest(), 16) % 10_000
    return bucket < update.rollout_percent * 100


def number(update: CodePush) -> int:
    return update.label_number or 0


def package_hash(update: CodePush) -> str:
    assert update.bundle is not None
    return update.bundle.package_hash


DIFF_NAME = f"{'d' * 64}.zip"
CONTENTS = ["one", "two", "three", "four"]
releases = st.builds(
    Release,
    content=st.sampled_from(CONTENTS),
    is_enabled=st.sampled_from([True, True, False]),
    is_mandatory=st.sampled_from([False, False, True]),
    rollout_percent=st.sampled_from([100, 100, 10, 50, 99]),
)
queries = st.builds(
    Query,
    app_version=st.sampled_from([*VERSIONS, "3.0.0", "3.0.0", "3.0.0"]),
    label=st.sampled_from(["", *(f"v{number}" for number in range(8)), "v99", "undefined"]),
    package_hash=st.sampled_from(["", *map(hash_of, CONTENTS), hash_of("unknown")]),
    client_unique_id=st.sampled_from(["", *(f"phone-{number}" for number in range(10))]),
    is_companion=st.sampled_from([False, False, True]),
)


# One database serves all examples: each makes a build of its own.
@pytest.mark.django_db
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(releases, max_size=7), st.sets(st.tuples(*[st.sampled_from(CONTENTS)] * 2)), st.data())
def test_every_answer_is_that_of_the_rules(
    history: list[Release], diffs: set[tuple[str, str]], data: st.DataObject
) -> None:
    BundleDiff.objects.all().delete()
    build: Build = BuildFactory()
    updates = publish(build, *history)
    CodePushFactory(build=build, status="failed")
    for old, new in diffs:
        if old != new:
            BundleDiff.objects.create(
                from_bundle=bundle_of(old), to_bundle=bundle_of(new), storage_name=DIFF_NAME, size_bytes=1
            )
    snapshot = build_snapshot(build.deployment_key)
    assert snapshot is not None
    hashes = {(hash_of(old), hash_of(new)) for old, new in diffs}
    for query in data.draw(st.lists(queries, min_size=10, max_size=10)):
        expected = model(updates[::-1], hashes, query)
        assert answer(snapshot, query) == expected, query


def answer(snapshot: Snapshot, query: Query) -> Expected:
    version = find_version(query.app_version)
    assert version is not None
    decision = decide(snapshot, UpdateQuery(snapshot.deployment_key, version=version, **asdict(query)))
    return Expected(
        decision.offer.label if decision.offer else "",
        decision.is_mandatory,
        decision.download is not None and decision.download.storage_name == DIFF_NAME,
        decision.app_version,
        decision.update_app_version,
        decision.should_run_binary_version,
    )


NEWEST = Candidate(2, "dpl_2", hash_of("two"), Download("2.zip", 1), rollout_percent=50)
OLDEST = Candidate(1, "dpl_1", hash_of("one"), Download("1.zip", 1), is_mandatory=True, mandatory_label=1)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(), st.text("v0123456789")), st.text(), st.text(), st.booleans())
def test_any_text_gets_a_decision(label: str, package_hash: str, client: str, is_companion: bool) -> None:
    version = find_version("3.0.0")
    assert version is not None
    snapshot = Snapshot("key", 1, "3.0.0", version, candidates=(NEWEST, OLDEST), newest_label=2)
    decision = decide(snapshot, UpdateQuery("key", "3.0.0", version, package_hash, label, client, is_companion))
    assert decision.reason
    assert (decision.offer is None) == (decision.download is None)
