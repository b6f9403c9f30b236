"""The last step of a release: the label, or the wait for a second person who approves it."""

from django.utils import timezone

from builds.errors import NotAllowedNow
from builds.models import AuditAction
from deployments.bundles.refusal import BundleRefused
from deployments.models import Bundle, ChangeRequest, CodePush
from deployments.selectors import find_live_codepush
from deployments.services import checks, waiting
from deployments.services.bundle_checks import require_signed
from deployments.services.change import BuildChange


def give_label(change: BuildChange, codepush: CodePush) -> None:
    """The processed CodePush is a success, in memory: the caller saves it, and then records it."""
    codepush.status = CodePush.Status.SUCCESS
    codepush.label_number = change.next_label_number()


def record_success(change: BuildChange, codepush: CodePush, live: CodePush | None) -> None:
    """`live`: what it replaces."""
    change.record(
        AuditAction.CODEPUSH_SUCCEEDED,
        codepush=codepush,
        before={"live": live.label if live else None},
        after={"label": codepush.label, "package_hash": codepush.bundle.package_hash if codepush.bundle else None},
    )


def require_signed_still(change: BuildChange, codepush: CodePush) -> None:
    """Its bundle is signed with the key that the project has registered by now, if any. Raises NotAllowedNow."""
    public_key = change.rules.signing_key
    if not public_key:
        return
    # A manifest can be a megabyte.
    bundle = Bundle.objects.defer("manifest").get(codepushes=codepush)
    try:
        require_signed(bundle, public_key, str(codepush))
    except BundleRefused as refusal:
        raise NotAllowedNow(str(refusal)) from refusal


def wait_for_approval(change: BuildChange, codepush: CodePush) -> ChangeRequest:
    """The processed CodePush, which was saved so, waits for somebody else than who created it."""
    return waiting.begin(
        change,
        kind=ChangeRequest.Kind.RELEASE,
        codepush=codepush,
        parameters={"rollout_percent": codepush.rollout_percent, "is_mandatory": codepush.is_mandatory},
        requested_by=codepush.created_by,
        reason=codepush.reason,
    )


def release_approved(change: BuildChange, codepush: CodePush) -> None:
    """What waited has its label and is Live; no worker is needed. Raises NotAllowedNow (the build takes none now)."""
    checks.require_accepts_codepushes(change.build)
    require_signed_still(change, codepush)
    live = find_live_codepush(change.build)
    give_label(change, codepush)
    # Released now, whenever it was processed.
    codepush.finished_at = timezone.now()
    codepush.save(update_fields=["status", "label_number", "finished_at"])
    record_success(change, codepush, live)
