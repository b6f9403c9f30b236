"""How many bytes an update of the samples takes: whole, as a diff, as a binary patch."""

import sys

import django

django.setup()

from deployments.models import CodePush  # noqa: E402


def main(deployment_key: str) -> None:
    newest = CodePush.objects.select_related("bundle").get(build__deployment_key=deployment_key, label_number=2)
    assert newest.bundle is not None
    diff, patch = newest.bundle.incoming_diffs.get(), newest.bundle.incoming_patches.get()
    print(
        f"bytes of an update, android sample v1 → v2: whole {newest.bundle.size_bytes:,}, "
        f"diff {diff.size_bytes:,}, binary patch {patch.size_bytes:,}"
    )


if __name__ == "__main__":
    main(sys.argv[1])
