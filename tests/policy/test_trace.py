"""The step-by-step explanation of a decision, against the rules read literally; and its words."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builds.models import Build
from deployments.models import BundleDiff, CodePush
from deployments.policy.decision import decide
from deployments.policy.trace import STOPPED_AT, Outcome, Rule, Trace, trace_decision
from deployments.policy.types import Reason, Snapshot, UpdateQuery
from deployments.policy.version_range import find_version
from deployments.snapshot_builder import build_snapshot
from tests.factories import BuildFactory
from tests.policy.histories import Release, bundle_of, find_client, hash_of, publish
from tests.policy.test_decide_agrees_with_model import (
    VERSIONS,
    Query,
    includes,
    number,
    package_hash,
    queries,
    releases,
)

RULES = list(Rule)


def find_stop(snapshot: Snapshot, history: list[CodePush], query: Query) -> Rule | None:
    """docs/protocol.md, "What a device is offered": where this device stops, None when it is offered something."""
    enabled = [update for update in history if update.is_enabled]
    included = [update for update in enabled if includes(update, query.client_unique_id)]
    own = [
        update
        for update in history
        if (update.label == query.label if query.label else package_hash(update) == query.package_hash)
    ]
    questions: dict[Rule, Callable[[], object]] = {
        Rule.BUILD_IS_SUCCESSFUL: lambda: not snapshot.is_successful,
        Rule.NO_FORCE_UPDATE: lambda: snapshot.is_force_updated,
        Rule.UPDATE_IS_ENABLED: lambda: not enabled,
        Rule.BINARY_FITS: lambda: VERSIONS[query.app_version] != 0 and not query.is_companion,
        Rule.ROLLOUT_INCLUDES: lambda: not included,
        Rule.NOT_AHEAD: lambda: own and own[0].is_enabled and number(own[0]) > number(included[0]),
        Rule.OTHER_BUNDLE: lambda: package_hash(included[0]) == query.package_hash,
    }
    return next((rule for rule, stops in questions.items() if stops()), None)


@pytest.mark.django_db
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(releases, max_size=7), st.sampled_from(["", "", "status", "force"]), st.data())
def test_every_step_is_what_the_rules_say_and_the_answer_is_what_devices_get(
    history: list[Release], obstacle: str, data: st.DataObject
) -> None:
    build: Build = BuildFactory()
    updates = publish(build, *history)[::-1]
    snapshot = build_snapshot(build.deployment_key)
    assert snapshot is not None
    snapshot = replace(snapshot, is_successful=obstacle != "status", is_force_updated=obstacle == "force")
    for query in data.draw(st.lists(queries, min_size=10, max_size=10)):
        asked = ask(snapshot, query)
        trace = trace_decision(snapshot, asked)
        assert trace.decision == decide(snapshot, asked)
        assert find_stopped(trace) == find_stop(snapshot, updates, query), query
        assert_candidates(trace, updates, query)
        assert_words(trace)


def ask(snapshot: Snapshot, query: Query) -> UpdateQuery:
    version = find_version(query.app_version)
    assert version is not None
    return UpdateQuery(
        snapshot.deployment_key,
        query.app_version,
        version,
        query.package_hash,
        query.label,
        query.client_unique_id,
        query.is_companion,
    )


def find_stopped(trace: Trace) -> Rule | None:
    """The one rule that stopped the device; those before it are passed, those after it not reached."""
    assert [step.rule for step in trace.steps] == RULES
    stopped = [step.rule for step in trace.steps if step.outcome == Outcome.STOPPED]
    place = RULES.index(stopped[0]) if stopped else len(RULES)
    assert all(step.outcome == Outcome.PASSED for step in trace.steps[:place])
    assert all(step.outcome == Outcome.NOT_REACHED for step in trace.steps[place + 1 :])
    assert all(bool(step.detail) == (step.outcome != Outcome.NOT_REACHED) for step in trace.steps)
    return stopped[0] if stopped else None


def assert_words(trace: Trace) -> None:
    """The words say what the outcomes say."""
    steps = {step.rule: step for step in trace.steps}
    assert ("enabled and newer" in steps[Rule.NOT_AHEAD].detail) == (steps[Rule.NOT_AHEAD].outcome == Outcome.STOPPED)
    bundle = steps[Rule.OTHER_BUNDLE]
    assert (" = that of " in bundle.detail) == (bundle.outcome == Outcome.STOPPED)
    assert steps[Rule.MANDATORY].detail.startswith("Mandatory") == trace.decision.is_mandatory


def assert_candidates(trace: Trace, history: list[CodePush], query: Query) -> None:
    """Those considered are the enabled ones down to the first that includes the device."""
    if trace.steps[RULES.index(Rule.ROLLOUT_INCLUDES)].outcome == Outcome.NOT_REACHED:
        assert trace.considered == ()
        return
    enabled = [update for update in history if update.is_enabled]
    first = next((place for place, up in enumerate(enabled) if includes(up, query.client_unique_id)), len(enabled))
    expected = [(up.label, up.rollout_percent, includes(up, query.client_unique_id)) for up in enabled[: first + 1]]
    assert [(one.label, one.rollout_percent, one.is_included) for one in trace.considered] == expected
    for one in trace.considered:
        if one.bucket is not None and one.rollout_percent < 100:
            assert one.is_included == (one.bucket < one.rollout_percent * 100)


def test_every_refusal_stops_at_a_rule() -> None:
    assert set(STOPPED_AT) == set(Reason) - {Reason.OFFERED_WHOLE, Reason.OFFERED_DIFF, Reason.OFFERED_PATCH}


# The words, for one history: v1 mandatory, v2 disabled, v3 at 10 %.


@pytest.fixture
def snapshot(build: Build) -> Snapshot:
    publish(
        build,
        Release("one", is_mandatory=True),
        Release("two", is_enabled=False),
        Release("three", rollout_percent=10),
    )
    old, new = bundle_of("one"), bundle_of("three")
    BundleDiff.objects.create(from_bundle=old, to_bundle=new, storage_name=f"{'d' * 64}.zip", size_bytes=40)
    found = build_snapshot(build.deployment_key)
    assert found is not None
    return found


def explain(
    snapshot: Snapshot, client: str = "", *, app_version: str = "3.0.0", label: str = "", package_hash: str = ""
) -> dict[Rule, str]:
    query = Query(app_version, label, package_hash, client, is_companion=False)
    return {step.rule: step.detail for step in trace_decision(snapshot, ask(snapshot, query)).steps}


@pytest.mark.django_db
def test_the_values_that_were_compared_are_named(snapshot: Snapshot, build: Build) -> None:
    words = explain(snapshot, app_version="3", label="v2", package_hash=hash_of("two"))
    assert words[Rule.BINARY_FITS] == "app_version 3 = the build's 3.0.0."
    assert (
        words[Rule.ROLLOUT_INCLUDES]
        == "v1 is the newest enabled update that includes it. Disabled, so passed over: v2."
    )
    assert words[Rule.NOT_AHEAD] == "By its label it runs v2, newer than v1 but disabled: it is taken back."
    assert f"{hash_of('two')[:12]}… ≠ {hash_of('one')[:12]}… of v1." in words[Rule.OTHER_BUNDLE]
    assert words[Rule.MANDATORY] == "Mandatory: v1 is."
    assert explain(snapshot, app_version="2.9")[Rule.BINARY_FITS] == "app_version 2.9 < the build's 3.0.0."


@pytest.mark.django_db
def test_a_fresh_device_skips_what_was_mandatory_and_downloads_the_whole(snapshot: Snapshot, build: Build) -> None:
    inside = find_client(inside=list(build.codepushes.filter(label_number=3)))
    words = explain(snapshot, inside)
    assert words[Rule.NOT_AHEAD] == "It sends neither label nor package hash: older than everything."
    assert words[Rule.MANDATORY] == "Mandatory: v1 is, an enabled update that it skips."
    assert words[Rule.OTHER_BUNDLE] == "It sends no package hash, so it downloads the whole bundle: 1.0 kB."
    by_hash = explain(snapshot, inside, package_hash=hash_of("one"))
    assert by_hash[Rule.NOT_AHEAD] == "By its package hash it runs v1, older than v3."
    assert by_hash[Rule.OTHER_BUNDLE].endswith("A diff from it exists: 40 B instead of 1.0 kB.")
    assert by_hash[Rule.MANDATORY] == "Not mandatory: neither v3 nor an enabled update that it skips is."


@pytest.mark.django_db
def test_a_bucket_is_shown_beside_what_the_rollout_includes(snapshot: Snapshot, build: Build) -> None:
    outside = find_client(outside=list(build.codepushes.filter(label_number=3)))
    query = Query("3.0.0", "", "", outside, is_companion=False)
    v3, v1 = trace_decision(snapshot, ask(snapshot, query)).considered
    assert v3.bucket is not None
    assert v3.detail == f"bucket {v3.bucket:,} of 10,000; 10% includes 0–999: outside"
    assert v1.detail == "rolled out to 100%: every device is inside"
    anonymous = trace_decision(snapshot, ask(snapshot, replace(query, client_unique_id=""))).considered
    assert anonymous[0].detail == "rolled out to 10%: a device without a client id is outside"
