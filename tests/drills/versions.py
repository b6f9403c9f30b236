"""Which version a deployment comes from, and its code beside this one's."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.flows.product import ROOT


class NoHistory(Exception):
    """Says in words why no older version is at hand."""


def find_old_commit() -> str:
    """OLD_COMMIT, or the version before the newest migration. Raises NoHistory."""
    if named := os.environ.get("OLD_COMMIT"):
        return named
    try:
        migrated = _git("log", "-1", "--first-parent", "--format=%H", "--", ":(glob)*/migrations/0*.py")
        return _git("rev-parse", "--verify", f"{migrated}^")
    except FileNotFoundError:
        raise NoHistory("git is not installed, which has the older version") from None
    except subprocess.CalledProcessError:
        if (ROOT / ".git").exists():
            raise NoHistory("this clone has no older version; run `git fetch --unshallow`") from None
        raise NoHistory("this is no git clone, which would have the older version") from None


@contextmanager
def checked_out(commit: str, folder: Path) -> Iterator[Path]:
    """The code of that commit, in the folder. Packages are those that are installed here."""
    folder.mkdir(parents=True)
    with subprocess.Popen(["git", "archive", commit], cwd=ROOT, stdout=subprocess.PIPE) as archive:
        subprocess.run(["tar", "-x", "-C", str(folder)], stdin=archive.stdout, check=True)
    assert archive.returncode == 0, f"git has no {commit}"
    yield folder


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
