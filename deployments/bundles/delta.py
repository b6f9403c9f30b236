"""A program of its own: the bsdiff4 delta from one file to another, checked by applying it.

    python delta.py OLD NEW DELTA SECONDS BYTES

Apart from the worker, because bsdiff needs memory of some twenty times the file, and time that nobody can foretell. The
limits are those of this process: over them it ends, and there is no delta.
"""

import resource
import sys
from pathlib import Path

import bsdiff4


def main(old_path: str, new_path: str, delta_path: str, seconds: str, memory_bytes: str) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    resource.setrlimit(resource.RLIMIT_AS, (int(memory_bytes), int(memory_bytes)))
    old, new = Path(old_path).read_bytes(), Path(new_path).read_bytes()
    delta = bsdiff4.diff(old, new)
    if bsdiff4.patch(old, delta) != new:
        raise SystemExit("The delta does not give the file.")
    Path(delta_path).write_bytes(delta)


if __name__ == "__main__":
    main(*sys.argv[1:])
