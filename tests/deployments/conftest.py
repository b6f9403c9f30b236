import pytest

from builds.models import Build
from deployments.models import CodePush
from tests.factories import CodePushFactory


@pytest.fixture
def codepush(build: Build) -> CodePush:
    """v1, the only CodePush of the build, and Live."""
    created: CodePush = CodePushFactory(build=build, description="Fixes “Basket”")
    return created
