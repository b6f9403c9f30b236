"""The build that `tests.bench` asks about: two updates, made from the samples through the services."""

import json
import sys
from pathlib import Path

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.files import File  # noqa: E402
from django.core.management import call_command  # noqa: E402

from builds.services import create_project, register_build  # noqa: E402
from deployments.models import CodePush  # noqa: E402
from deployments.services import processing  # noqa: E402
from deployments.services.codepushes import create_codepush  # noqa: E402

SAMPLES = Path(__file__).parent / "samples"


def main(deployment_key: str) -> None:
    call_command("migrate", verbosity=0)
    user = User.objects.create_user(deployment_key)
    project = create_project(actor=user, name=deployment_key)
    build = register_build(
        project,
        actor=user,
        platform="android",
        build_target="production",
        store_version="3.0.0",
        status="success",
        deployment_key=deployment_key,
    )
    for version in (1, 2):
        with (SAMPLES / f"android-v{version}.zip").open("rb") as file:
            processing.process_codepush(create_codepush(build.pk, actor=user, upload=File(file)).pk)
    newest = CodePush.objects.select_related("bundle").get(build=build, label_number=2)
    print(json.dumps({"package_hash": newest.bundle.package_hash if newest.bundle else ""}))


if __name__ == "__main__":
    main(sys.argv[1])
