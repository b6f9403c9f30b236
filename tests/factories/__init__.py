"""Rows to arrange tests with. Acting goes through services, pages or the device API."""

from tests.factories.builds import BuildFactory, MembershipFactory, ProjectFactory, UserFactory
from tests.factories.deployments import BundleFactory, CodePushFactory

__all__ = ["BuildFactory", "BundleFactory", "CodePushFactory", "MembershipFactory", "ProjectFactory", "UserFactory"]
