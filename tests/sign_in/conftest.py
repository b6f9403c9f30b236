import pytest

from builds.rate_limit import RateLimit
from sign_in import limits
from tests.sign_in.mails import Mailbox


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    return Mailbox(monkeypatch)


@pytest.fixture(autouse=True)
def _fresh_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has tried anything yet."""
    monkeypatch.setattr(limits, "attempts", RateLimit(1 / limits.SECONDS_PER_ATTEMPT, limits.ATTEMPTS))
    monkeypatch.setattr(limits, "codes", RateLimit(1 / limits.SECONDS_PER_ATTEMPT, limits.ATTEMPTS))
    monkeypatch.setattr(limits, "mails_to", RateLimit(1 / 900, burst=3))
    monkeypatch.setattr(limits, "mails_from", RateLimit(1 / 60, burst=20))
    monkeypatch.setattr(limits, "invitations", RateLimit(1 / 60, burst=50))
