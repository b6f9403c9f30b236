import pytest
from django.contrib.auth.models import User

from tests.release_api.caller import Caller


@pytest.fixture
def api(owner: User) -> Caller:
    """A pipeline with a token of the project's admin, without limits."""
    return Caller(owner)
