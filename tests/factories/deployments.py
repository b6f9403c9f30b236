from hashlib import sha256

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from deployments.models import Bundle, CodePush
from tests.factories.builds import BuildFactory


class BundleFactory(DjangoModelFactory[Bundle]):
    """A bundle row whose archive is not stored: for tests that download nothing."""

    class Meta:
        model = Bundle

    class Params:
        content = factory.Sequence(lambda n: f"bundle {n}")

    content_hash = factory.LazyAttribute(lambda o: sha256(o.content.encode()).hexdigest())
    package_hash = factory.SelfAttribute("content_hash")
    archive_sha256 = factory.LazyAttribute(lambda o: sha256(b"zip" + o.content.encode()).hexdigest())
    storage_name = factory.LazyAttribute(lambda o: f"{o.archive_sha256}.zip")
    size_bytes = 1000
    unpacked_bytes = 2000
    js_bundle_path = "CodePush/index.android.bundle"
    manifest = factory.LazyAttribute(lambda o: {"CodePush/index.android.bundle": o.content_hash})


class CodePushFactory(DjangoModelFactory[CodePush]):
    """A success with the next label of its build. `CodePushFactory(status="failed", …)` for others."""

    class Meta:
        model = CodePush

    build = factory.SubFactory(BuildFactory)
    status = CodePush.Status.SUCCESS
    description = factory.Sequence(lambda n: f"Change {n}")
    bundle = factory.Maybe(
        factory.LazyAttribute(lambda o: o.status == CodePush.Status.SUCCESS), factory.SubFactory(BundleFactory), None
    )
    label_number = factory.LazyAttribute(
        lambda o: (
            CodePush.objects.filter(build=o.build).successful().count() + 1
            if o.status == CodePush.Status.SUCCESS
            else None
        )
    )
    failure_reason = factory.LazyAttribute(lambda o: "Wrong." if o.status == CodePush.Status.FAILED else "")
    started_at = factory.LazyFunction(timezone.now)
    finished_at = factory.LazyFunction(timezone.now)
    duration_ms = 1200
