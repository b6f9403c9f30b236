"""Rows to arrange tests with. Acting goes through services, pages or the device API."""

from tests.factories.builds import BuildFactory, MembershipFactory, ProjectFactory, UserFactory
from tests.factories.deployments import BundleFactory, CodePushFactory
from tests.factories.sign_in import InvitationFactory
from tests.factories.webhooks import DeliveryFactory, WebhookFactory

__all__ = [
    "BuildFactory",
    "BundleFactory",
    "CodePushFactory",
    "DeliveryFactory",
    "InvitationFactory",
    "MembershipFactory",
    "ProjectFactory",
    "UserFactory",
    "WebhookFactory",
]
