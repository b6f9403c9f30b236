import factory
from django.contrib.auth.models import User
from factory.django import DjangoModelFactory

from builds.models import Build, BuildTarget, Membership, Platform, Project, Role


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"person{n}")
    first_name = "Pat"
    last_name = factory.Sequence(lambda n: f"Doe {n}")


class ProjectFactory(DjangoModelFactory[Project]):
    class Meta:
        model = Project

    name = factory.Sequence(lambda n: f"Northwind {n}")
    slug = factory.Sequence(lambda n: f"northwind-{n}")


class MembershipFactory(DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    project = factory.SubFactory(ProjectFactory)
    user = factory.SubFactory(UserFactory)
    role = Role.RELEASE_MANAGER


class BuildFactory(DjangoModelFactory[Build]):
    class Meta:
        model = Build

    project = factory.SubFactory(ProjectFactory)
    platform = Platform.ANDROID
    build_target = BuildTarget.PRODUCTION
    store_version = "3.0.0"
    status = Build.Status.SUCCESS
