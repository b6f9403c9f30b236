"""Answers of security keys that no key gave. Real ones are used in tests/browser/test_sign_in.py."""

import json

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User

from tests.sign_in.apps import begin_sign_in, give_app, give_password

RUBBISH = [
    "",
    "nonsense",
    "null",
    "[]",
    "1",
    '"text"',
    "{}",
    json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": {}}),
    json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": {"clientDataJSON": "AA"}}),
    json.dumps(
        {
            "id": "AA",
            "rawId": "AA",
            "type": "public-key",
            "response": {
                "clientDataJSON": "e30",
                "attestationObject": "oA",
                "authenticatorData": "AA",
                "signature": "AA",
            },
        }
    ),
    json.dumps({"id": 1, "rawId": None, "type": [], "response": {"clientDataJSON": 5}}),
    "{" * 3000,
]


@pytest.fixture
def vera(viewer: User) -> User:
    return give_password(viewer)


@pytest.mark.parametrize("credential", RUBBISH, ids=range(len(RUBBISH)))
def test_what_is_no_answer_adds_no_key(vera: User, credential: str) -> None:
    client, _ = begin_sign_in("vera")
    client.get("/account/keys/new/")
    answer = client.post("/account/keys/new/", {"name": "Blue key", "credential": credential})
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize("credential", RUBBISH, ids=range(len(RUBBISH)))
def test_what_is_no_answer_signs_nobody_in(vera: User, credential: str) -> None:
    give_app(vera)
    client, step = begin_sign_in("vera")
    client.get(step)
    assert client.post(step, {"credential": credential}).status_code == 200
    assert client.get("/projects/").status_code == 302
