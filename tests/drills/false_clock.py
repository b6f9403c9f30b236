"""The wall clock of the product's processes, which a drill sets while they run. Databases keep the right time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FalseClock:
    """`told_in`: the file that the processes follow (`clock/sitecustomize.py`)."""

    told_in: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"DRILL_CLOCK": str(self.told_in), "PYTHONPATH": str(Path(__file__).parent / "clock")}

    def set(self, seconds: int) -> None:
        """The clock is wrong by so many seconds; each process knows within a moment."""
        written = self.told_in.with_suffix(".new")
        written.write_text(str(seconds))
        written.replace(self.told_in)

    @contextmanager
    def wrong_by(self, seconds: int) -> Iterator[None]:
        self.set(seconds)
        try:
            yield
        finally:
            self.set(0)
