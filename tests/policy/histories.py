"""Histories of updates, the devices that meet them, and what these are offered: rows → snapshot → decision."""

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from itertools import count

from builds.models import Build
from deployments.models import Bundle, CodePush
from deployments.policy.decision import decide
from deployments.policy.types import Decision, Reason, UpdateQuery
from deployments.policy.version_range import find_version
from deployments.snapshot_builder import build_snapshot
from tests.factories import BundleFactory, CodePushFactory


@dataclass(frozen=True)
class Release:
    """One success; its label is its place in the history. `content` names what is in the bundle."""

    content: str = ""
    is_enabled: bool = True
    is_mandatory: bool = False
    rollout_percent: int = 100


def publish(build: Build, *releases: Release) -> list[CodePush]:
    """v1, v2, … Releases with the same content share a bundle, as rollbacks do; without one each has its own."""
    return [
        CodePushFactory(
            build=build,
            bundle=bundle_of(release.content or f"{build.pk} v{number}"),
            label_number=number,
            is_enabled=release.is_enabled,
            is_mandatory=release.is_mandatory,
            rollout_percent=release.rollout_percent,
        )
        for number, release in enumerate(releases, start=1)
    ]


def bundle_of(content: str) -> Bundle:
    """The one bundle with this content."""
    known: Bundle | None = Bundle.objects.filter(content_hash=hash_of(content)).first()
    return known or BundleFactory(content=content)


def hash_of(content: str) -> str:
    """The package hash of a bundle of these tests."""
    return sha256(content.encode()).hexdigest()


def ask(build: Build, *, app_version: str = "3.0.0", **sent: str | bool) -> Decision:
    """The decision for a device that sends this; what is not given it does not send."""
    snapshot = build_snapshot(build.deployment_key)
    version = find_version(app_version)
    assert snapshot is not None
    assert version is not None
    return decide(snapshot, UpdateQuery(build.deployment_key, app_version, version, **sent))  # type: ignore[arg-type]


def find_client(*, inside: Collection[CodePush] = (), outside: Collection[CodePush] = ()) -> str:
    """A client id that the rollouts of these include, and of those do not."""
    return next(
        client
        for client in (f"phone-{number}" for number in count())
        if all(_is_in(client, update) for update in inside) and not any(_is_in(client, update) for update in outside)
    )


def _is_in(client: str, codepush: CodePush) -> bool:
    digest = sha256(f"{codepush.deployment_id}:{client}".encode()).hexdigest()
    return int(digest, 16) % 10_000 < codepush.rollout_percent * 100


def assert_offered(decision: Decision, label: str, *, is_mandatory: bool = False) -> None:
    assert decision.offer is not None, decision.reason
    assert decision.download is not None
    assert decision.reason in (Reason.OFFERED_WHOLE, Reason.OFFERED_DIFF)
    assert (decision.offer.label, decision.is_mandatory) == (label, is_mandatory)
    assert (decision.update_app_version, decision.should_run_binary_version) == (False, False)


def assert_no_update(
    decision: Decision,
    reason: Reason,
    *,
    app_version: str = "",
    is_store_update: bool = False,
    should_run_binary_version: bool = True,
) -> None:
    assert decision == Decision(
        reason,
        app_version=app_version,
        update_app_version=is_store_update,
        should_run_binary_version=should_run_binary_version,
    )
