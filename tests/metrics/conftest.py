import pytest

from metrics.simulation import device as simulated
from tests.metrics.scripted_server import Phone, ScriptedServer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """Nothing is lost, and no app is closed, unless a test says so."""
    monkeypatch.setattr(simulated, "_LOST_ANSWER_RATE", 0.0)
    monkeypatch.setattr(simulated, "_CLOSED_BEFORE_INSTALLING_RATE", 0.0)
    return ScriptedServer()


@pytest.fixture
def phone(server: ScriptedServer) -> Phone:
    return Phone(server)
