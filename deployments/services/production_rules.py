"""What a project demands before devices of its production builds get something. For its admins."""

from django.contrib.auth.models import User
from django.db import transaction

from builds import audit
from builds.actors import name_person
from builds.errors import InvalidInput, NotAllowedNow
from builds.models import AuditAction, Build, Membership, Project, Role
from deployments.bundles import signature
from deployments.models import ChangeRequest
from deployments.services import checks, waiting
from deployments.services.change import build_change

MAX_APPROVAL_HOURS = 168


def set_second_person(
    project_id: int, *, actor: User, needs_second_person: bool, approval_hours: int, reason: str = ""
) -> Project:
    """The project wants a second person for production changes, or not; they wait so long.

    Turning it off does not wait for anybody, and is told to webhooks; what waited then has ended as withdrawn.
    Raises InvalidInput (hours; no reason for turning it off), NotAllowedNow (one person alone could never release).
    """
    checks.check_reason(reason)
    if not 1 <= approval_hours <= MAX_APPROVAL_HOURS:
        raise InvalidInput(
            f"Requests would wait {approval_hours} hours; use 1 to {MAX_APPROVAL_HOURS}.", field="approval_hours"
        )
    with transaction.atomic():
        project = _lock(project_id)
        values = {"needs_second_person": needs_second_person, "approval_hours": approval_hours}
        before = {name: getattr(project, name) for name in values}
        changed = {name: value for name, value in values.items() if value != before[name]}
        if not changed:
            return project
        if changed.get("needs_second_person"):
            _require_two_people(project)
        if changed.get("needs_second_person") is False and not reason.strip():
            raise InvalidInput("The reason is empty. Say why production needs no second person.", field="reason")
        for name, value in changed.items():
            setattr(project, name, value)
        project.save(update_fields=list(changed))
        audit.record(
            AuditAction.SECOND_PERSON_CHANGED,
            actor=actor,
            project=project,
            before={name: before[name] for name in changed},
            after=changed,
            reason=reason,
        )
        if not needs_second_person:
            _withdraw_all(project, actor)
        return project


def set_signing_key(project_id: int, *, actor: User, signing_key: str, reason: str = "") -> Project:
    """From now on bundles are refused unless they are signed with the private part of this key; "": no matter how.

    What devices were offered already stays as it is. Raises InvalidInput for what is no RSA public key.
    """
    checks.check_reason(reason)
    try:
        key = signature.normalize_public_key(signing_key) if signing_key.strip() else ""
    except signature.UnusableKey as refusal:
        raise InvalidInput(str(refusal), field="signing_key") from refusal
    with transaction.atomic():
        project = _lock(project_id)
        if project.signing_key == key:
            return project
        before, project.signing_key = project.signing_key, key
        project.save(update_fields=["signing_key"])
        audit.record(
            AuditAction.SIGNING_KEY_CHANGED,
            actor=actor,
            project=project,
            before={"fingerprint": describe_key(before)},
            after={"fingerprint": describe_key(key)},
            reason=reason,
        )
        return project


def describe_key(public_key: str) -> str:
    """Its fingerprint, "" for none."""
    return signature.compute_fingerprint(public_key) if public_key else ""


def _lock(project_id: int) -> Project:
    """The project, and all its builds: no change of theirs is between a look at the rules and its end."""
    project = Project.objects.select_for_update(no_key=True).get(pk=project_id)
    builds = Build.objects.select_for_update(of=("self",)).filter(project=project)
    # In order of id, as slots are locked.
    list(builds.order_by("id").values_list("pk"))
    return project


def _require_two_people(project: Project) -> None:
    able = Membership.objects.filter(
        project=project, role__in=(Role.RELEASE_MANAGER, Role.ADMIN), user__is_active=True
    ).select_related("user")
    people = list(able[:2])
    if len(people) < 2:
        alone = " and ".join(name_person(member.user) for member in people) or "nobody"
        raise NotAllowedNow(
            f"Only {alone} can release in {project}, so nothing could be approved. "
            "Make somebody else a release manager first."
        )


def _withdraw_all(project: Project, actor: User) -> None:
    requests = ChangeRequest.objects.filter(build__project=project, status=ChangeRequest.Status.WAITING)
    outcome = f"{name_person(actor)} turned off the second person for production changes, so it did not wait any more."
    for request in requests.select_related("codepush", "requested_by").order_by("id"):
        with build_change(request.build_id, actor=actor) as change:
            waiting.end(change, request, ChangeRequest.Status.WITHDRAWN, outcome=outcome)
