"""What processing an archive costs: time from pending to Live, and the most memory that the process held."""

import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import django

django.setup()

from django.core.files import File  # noqa: E402

from builds.models import Build  # noqa: E402
from deployments.models import CodePush  # noqa: E402
from deployments.services import processing  # noqa: E402
from deployments.services.codepushes import create_codepush  # noqa: E402


def main(deployment_key: str) -> None:
    build = Build.objects.select_related("triggered_by").get(deployment_key=deployment_key)
    with tempfile.TemporaryDirectory() as folder:
        for seed in (1, 2):
            archive = Path(folder, "large.zip")
            _write_archive(archive, seed)
            _measure(build, archive)


def _write_archive(path: Path, seed: int) -> None:
    """198 files of 1 MB that do not compress, a tenth of them new with each seed."""
    with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("CodePush/index.android.bundle", f"console.log({seed});")
        for number in range(198):
            noise = random.Random(number if number >= 20 else number + seed * 1000)
            archive.writestr(f"CodePush/assets/{number}.bin", noise.randbytes(1_000_000))


def _measure(build: Build, archive: Path) -> None:
    assert build.triggered_by is not None
    with archive.open("rb") as file:
        codepush = create_codepush(build.pk, actor=build.triggered_by, upload=File(file))
    start = time.monotonic()
    processing.process_codepush(codepush.pk)
    seconds = time.monotonic() - start
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    result = CodePush.objects.get(pk=codepush.pk)
    print(
        f"processing {archive.stat().st_size / 1e6:.0f} MB: {result.get_status_display().lower()} {result.label} "
        f"in {seconds:.2f} s, at most {peak_mb:.0f} MB of memory"
    )


if __name__ == "__main__":
    main(sys.argv[1])
