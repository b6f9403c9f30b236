"""Writes that no device can notice: projects, members, and builds that nobody has installed yet."""

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from builds import audit
from builds.cleaning import require_clean_fields
from builds.errors import AlreadyTaken, InvalidInput, NotAllowedNow
from builds.models import AuditAction, Build, Membership, Project, Role, new_deployment_key
from builds.second_factor import has_second_factor
from deployments.policy.version_range import find_version

# /projects/new/ is the page that makes one.
RESERVED_SLUGS = {"new"}
# Not the slug: scripts, bookmarks and chats name the project by its address.
EDITABLE_PROJECT_FIELDS = {
    "name",
    "description",
    "repository_url",
    "ios_bundle_id",
    "android_bundle_id",
    "huawei_bundle_id",
}


def create_project(
    *, actor: User, name: str, slug: str = "", description: str = "", repository_url: str = "", **bundle_ids: str
) -> Project:
    """A project, with the actor as its first admin. `bundle_ids`: ios_bundle_id, android_bundle_id, huawei_bundle_id.

    Without a slug one is made from the name. Raises InvalidInput for an empty name, or a slug that is taken.
    """
    name = name.strip()
    slug = slug or slugify(name)[:60]
    if not name or not slug:
        raise InvalidInput(f"{name!r} gives no address. Use a name with letters or digits.", field="name")
    if slug in RESERVED_SLUGS:
        raise AlreadyTaken(f"The address {slug!r} belongs to a page of the console. Choose another one.", field="slug")
    project = Project(name=name, slug=slug, description=description, repository_url=repository_url, **bundle_ids)
    require_clean_fields(project)
    with transaction.atomic():
        try:
            with transaction.atomic():
                project.save()
        except IntegrityError as taken:
            raise AlreadyTaken(
                f"The address {slug!r} is taken by another project, or by one that was deleted in the last 30 days. "
                "Choose another one.",
                field="slug",
            ) from taken
        Membership.objects.create(project=project, user=actor, role=Role.ADMIN)
        audit.record(AuditAction.PROJECT_CREATED, actor=actor, project=project, after={"name": name, "slug": slug})
    return project


def edit_project(project_id: int, *, actor: User, **values: str) -> Project:
    """The project has these values; fields that are not named stay as they are, and so does its address.

    What does not change anything is no entry in the audit log. Raises InvalidInput naming the field.
    """
    unknown = values.keys() - EDITABLE_PROJECT_FIELDS
    if unknown:
        raise InvalidInput(f"{min(unknown)!r} cannot be edited.")
    if not values.get("name", "-").strip():
        raise InvalidInput("The name is empty. Give the project one.", field="name")
    with transaction.atomic():
        # no_key: builds and audit entries, which point to this row, go on meanwhile.
        project = Project.objects.select_for_update(no_key=True).get(pk=project_id)
        changed = {name: value.strip() for name, value in values.items() if value.strip() != getattr(project, name)}
        before = {name: getattr(project, name) for name in changed}
        for name, value in changed.items():
            setattr(project, name, value)
        require_clean_fields(project, changed)
        if changed:
            project.save(update_fields=list(changed))
            audit.record(AuditAction.PROJECT_EDITED, actor=actor, project=project, before=before, after=changed)
    return project


def set_second_factor_needed(project_id: int, *, actor: User, is_needed: bool) -> Project:
    """Members without a second factor see nothing of the project, or see it again. Tokens are not asked for one.

    What it is already is no entry. Raises NotAllowedNow for an admin who would lock themselves out.
    """
    if is_needed and not has_second_factor(actor.pk):
        raise NotAllowedNow("You have no second factor yourself. Set one up under Account first.")
    with transaction.atomic():
        project = Project.objects.select_for_update(no_key=True).get(pk=project_id)
        if project.needs_second_factor != is_needed:
            project.needs_second_factor = is_needed
            project.save(update_fields=["needs_second_factor"])
            audit.record(
                AuditAction.PROJECT_EDITED,
                actor=actor,
                project=project,
                before={"needs_second_factor": not is_needed},
                after={"needs_second_factor": is_needed},
            )
    return project


def register_build(
    project: Project,
    *,
    actor: User | None,
    platform: str,
    build_target: str,
    store_version: str,
    status: str = Build.Status.PENDING,
    build_number: str = "",
    branch: str = "",
    commit: str = "",
    hermes_bytecode_version: int | None = None,
    deployment_key: str = "",
) -> Build:
    """A build with a deployment key of its own, made before compiling so that CI can bake it in.

    `deployment_key`: the caller's own (migration from another server). Raises InvalidInput naming the field.
    """
    # Stored as people read it: what a device may send around a version (a "v", blanks) has no place here.
    if not store_version[:1].isdigit() or store_version != store_version.strip() or find_version(store_version) is None:
        raise InvalidInput(
            f"{store_version!r} is not a store version; use numbers such as 3.0.0.", field="store_version"
        )
    now = timezone.now()
    build = Build(
        project=project,
        platform=platform,
        build_target=build_target,
        store_version=store_version,
        status=status,
        build_number=build_number,
        branch=branch,
        commit=commit,
        hermes_bytecode_version=hermes_bytecode_version,
        deployment_key=deployment_key or new_deployment_key(),
        triggered_by=actor,
        started_at=None if status == Build.Status.PENDING else now,
        finished_at=None if status in (Build.Status.PENDING, Build.Status.RUNNING) else now,
    )
    require_clean_fields(build)
    with transaction.atomic():
        try:
            with transaction.atomic():
                build.save()
        except IntegrityError as taken:
            raise AlreadyTaken(
                f"The deployment key {deployment_key!r} belongs to another build. Leave it empty to get a new one.",
                field="deployment_key",
            ) from taken
        after = {
            "platform": platform,
            "build_target": build_target,
            "store_version": store_version,
            "status": status,
        }
        audit.record(AuditAction.BUILD_REGISTERED, actor=actor, project=project, build=build, after=after)
    return build


def reveal_deployment_key(build: Build, *, actor: User) -> str:
    """The key, for this person to see. Any member may: it is an address, not a secret. That they did is audited."""
    audit.record(AuditAction.DEPLOYMENT_KEY_REVEALED, actor=actor, project=build.project, build=build)
    return build.deployment_key
