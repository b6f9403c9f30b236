"""Where a build and its CodePushes are on the site."""

from django.urls import reverse

from builds.models import Build


def build_url(build: Build) -> str:
    return reverse("build_detail", args=[build.project.slug, build.pk])


def card_url(build: Build, deployment_id: str) -> str:
    """Build Detail at the card of this CodePush, on whichever page it stands."""
    return f"{build_url(build)}?deployment={deployment_id}#{deployment_id}"
