"""Checks that several services share: each raises a sentence, and changes nothing."""

from django.conf import settings

from builds.errors import InvalidInput, NotAllowedNow
from builds.models import Build
from deployments.models import CodePush
from deployments.policy.text import describe_misleading

MAX_DESCRIPTION_LENGTH = 2000
MAX_REASON_LENGTH = 280


class BundleTooLarge(InvalidInput):
    """The archive is larger than MAX_BUNDLE_MB (413)."""

    def __init__(self) -> None:
        limit_mb = settings.MAX_BUNDLE_BYTES // 1_000_000
        super().__init__(
            f"The bundle is larger than {limit_mb} MB, the limit here. Leave out large assets.", field="bundle"
        )


def check_description(description: str) -> None:
    if len(description) > MAX_DESCRIPTION_LENGTH:
        raise InvalidInput(
            f"The description has {len(description):,} characters; at most {MAX_DESCRIPTION_LENGTH:,} fit. Shorten it.",
            field="description",
        )
    _check_text(description, "description")


def check_reason(reason: str) -> None:
    if len(reason) > MAX_REASON_LENGTH:
        raise InvalidInput(
            f"The reason has {len(reason)} characters; at most {MAX_REASON_LENGTH} fit. Shorten it.", field="reason"
        )
    _check_text(reason, "reason")


def _check_text(text: str, field: str) -> None:
    # Refused and not removed: what somebody wrote is changed by nobody else.
    misleading = describe_misleading(text)
    if misleading:
        raise InvalidInput(f"The {field} holds {misleading}. Remove it.", field=field)


def check_rollout(rollout_percent: int) -> None:
    if not 1 <= rollout_percent <= 100:
        raise InvalidInput(
            f"Rollout is {rollout_percent}; use a whole number from 1 to 100. To offer it to nobody, disable it.",
            field="rollout_percent",
        )


def require_same_place(
    build: Build, *, build_target: str | None, platform: str | None, target_binary_range: str | None
) -> None:
    """All three follow from the build. A request that says otherwise means another build."""
    for field, given, own in (
        ("build_target", build_target, build.build_target),
        ("platform", platform, build.platform),
        ("target_binary_range", target_binary_range, build.store_version),
    ):
        if given is not None and given != own:
            name = field.replace("_", " ")
            raise InvalidInput(
                f"The {name} is {given!r}, but {build} has {own!r}. Choose the build you mean.", field=field
            )


def require_accepts_codepushes(build: Build) -> None:
    if not build.is_successful:
        raise NotAllowedNow(
            f"{build} is {build.get_status_display().lower()}; only a successful build can receive CodePushes."
        )
    if build.is_force_updated:
        raise NotAllowedNow(
            f"Force Update is applied to {build}: its devices are sent to the store and get no CodePush. Lift it first."
        )


def require_success(codepush: CodePush, *, to_be: str) -> None:
    """`to_be`: what is asked for, such as "edited"."""
    if not codepush.is_successful:
        raise NotAllowedNow(
            f"{codepush.deployment_id} is {codepush.get_status_display().lower()}; "
            f"only a CodePush that succeeded can be {to_be}."
        )


def require_failed(codepush: CodePush) -> None:
    if codepush.status != CodePush.Status.FAILED:
        raise NotAllowedNow(
            f"{codepush} is {codepush.get_status_display().lower()}; only a failed CodePush can be retried."
        )


def require_unfinished(codepush: CodePush) -> None:
    if codepush.status == CodePush.Status.WAITING:
        raise NotAllowedNow(f"{codepush} is waiting for approval: its request can be withdrawn or refused.")
    if not codepush.is_unfinished:
        raise NotAllowedNow(
            f"{codepush} is {codepush.get_status_display().lower()}; "
            "only a pending or processing CodePush can be canceled."
        )


def require_is_live(codepush: CodePush, live: CodePush | None) -> CodePush:
    """The Live one, which `codepush` is."""
    if live is None or live.pk != codepush.pk:
        name = live.label if live else "none"
        raise NotAllowedNow(f"{codepush} is not Live (Live: {name}). Roll back from the Live CodePush.")
    return live


def require_not_live(codepush: CodePush, live: CodePush | None) -> None:
    if live is not None and live.pk == codepush.pk:
        raise NotAllowedNow(f"{codepush} is Live already.")
