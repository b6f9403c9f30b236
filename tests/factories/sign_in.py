from datetime import timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from builds.models import Role
from sign_in.models import Invitation
from tests.factories.builds import ProjectFactory


class InvitationFactory(DjangoModelFactory[Invitation]):
    class Meta:
        model = Invitation

    project = factory.SubFactory(ProjectFactory)
    email = factory.Sequence(lambda n: f"new{n}@example.com")
    role = Role.VIEWER
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=7))
