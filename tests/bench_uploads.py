"""What uploads over the release API take: one of 200 MB, twenty of 50 MB at once; and the most memory they cost.

Against two web processes of their own, by the client that pipelines use. On the database that DATABASE_URL names.
"""

import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402

from builds.errors import NotAllowedNow  # noqa: E402
from builds.models import Build, Role  # noqa: E402
from builds.services import create_project, register_build  # noqa: E402
from codepush_cli.server import Server as Client  # noqa: E402
from codepush_cli.server import Upload  # noqa: E402
from deployments.models import CodePush  # noqa: E402
from deployments.services.codepushes import cancel  # noqa: E402
from release_api.tokens import create_token  # noqa: E402
from tests.bench import PRODUCT  # noqa: E402
from tests.bench_server import Server, serve  # noqa: E402

PARALLEL, LIMIT_MB = 20, 400


def main() -> None:
    user = User.objects.create_user(f"bench-uploads-{time.time()}")
    build = register_build(
        create_project(actor=user, name=user.username),
        actor=user,
        platform="android",
        build_target="production",
        store_version="3.0.0",
        status="success",
    )
    _, text = create_token(actor=user, name="bench", role=Role.ADMIN)
    with tempfile.TemporaryDirectory() as folder, serve(PRODUCT, folder, workers=2) as server:
        client = Client(f"http://127.0.0.1:{server.port}", text)
        _measure("1 upload", 1, _write_archive(folder, 198), client, build, server)
        _measure(f"{PARALLEL} uploads at once", PARALLEL, _write_archive(folder, 50), client, build, server)
    for codepush in CodePush.objects.filter(build=build).unfinished():
        # The sweep deletes their archives.
        with suppress(NotAllowedNow):
            cancel(codepush.pk, actor=user)


def _write_archive(folder: str, size_mb: int) -> Path:
    path = Path(folder, f"{size_mb}.zip")
    with ZipFile(path, "w", ZIP_STORED) as archive:
        archive.writestr("CodePush/index.android.bundle", "run()")
        archive.writestr("CodePush/film.mp4", os.urandom(size_mb * 1_000_000))
    return path


def _measure(name: str, count: int, archive: Path, client: Client, build: Build, server: Server) -> None:
    before_mb = _peaks_mb(server)

    def send(number: int) -> str:
        with archive.open("rb") as file:
            upload = Upload({"description": str(number)}, file)
            return str(client.upload(f"/builds/{build.pk}/codepushes", upload, None)["status"])

    start = time.monotonic()
    with ThreadPoolExecutor(count) as pool:
        taken = list(pool.map(send, range(count)))
    seconds = time.monotonic() - start
    peaks_mb = _peaks_mb(server)
    assert taken == ["pending"] * count
    print(
        f"{name} of {archive.stat().st_size / 1e6:.0f} MB: all taken in {seconds:.1f} s; peak memory of the web "
        f"processes {' and '.join(peaks_mb)} MB, {' and '.join(before_mb)} before"
    )
    assert max(map(int, peaks_mb)) < LIMIT_MB


def _peaks_mb(server: Server) -> list[str]:
    """The most that each web process ever held, as the kernel counts it."""
    statuses = [Path(f"/proc/{pid}/status").read_text() for pid in server.worker_pids()]
    kilobytes = [int(status.split("VmHWM:")[1].split()[0]) for status in statuses]
    return [f"{each / 1024:.0f}" for each in kilobytes]


if __name__ == "__main__":
    main()
