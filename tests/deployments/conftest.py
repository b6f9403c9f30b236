import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from builds.models import Build, Project, Role
from deployments.models import CodePush
from tests.factories import BuildFactory, CodePushFactory, MembershipFactory, UserFactory


@pytest.fixture
def colleague(project: Project) -> User:
    """A second release manager."""
    user: User = UserFactory(username="cem", first_name="Cem", last_name="Aydin")
    MembershipFactory(project=project, user=user, role=Role.RELEASE_MANAGER)
    return user


@pytest.fixture
def four_eyes(project: Project) -> Project:
    """The project wants a second person for production changes."""
    project.needs_second_person = True
    project.save()
    return project


@pytest.fixture
def replaced_build(project: Project) -> Build:
    """3.0.0: once store-live, replaced by 3.1.0, which is store-live now."""
    build: Build = BuildFactory(project=project, store_status="approved", store_live_at=timezone.now())
    BuildFactory(project=project, store_version="3.1.0", store_status="live", store_live_at=timezone.now())
    return build


@pytest.fixture
def codepush(build: Build) -> CodePush:
    """v1, the only CodePush of the build, and Live."""
    created: CodePush = CodePushFactory(build=build, description="Fixes “Basket”")
    return created
