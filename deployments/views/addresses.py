"""Where a build and its CodePushes are on the site."""

from django.urls import reverse

from builds.models import Build

# Stands in patterns where a deployment ID goes: no slug holds it, and no address writes it in another way.
_ANY = "*"
_VIEWS = {
    "log": "codepush_log",
    "compare": "codepush_compare_pick",
    "edit": "codepush_edit",
    "rollback": "codepush_rollback",
    "promote": "codepush_promote",
    "cancel": "codepush_cancel",
    "retry": "codepush_retry",
}


def build_url(build: Build) -> str:
    return reverse("build_detail", args=[build.project.slug, build.pk])


def card_url(build: Build, deployment_id: str) -> str:
    """Build Detail at the card of this CodePush, on whichever page it stands."""
    return f"{build_url(build)}?deployment={deployment_id}#{deployment_id}"


class CodePushUrls:
    """Where everything about the CodePushes of one build is. Looked up once for all of them: pages have hundreds."""

    def __init__(self, build: Build) -> None:
        place = (build.project.slug, build.pk)
        self._patterns = {name: reverse(view, args=[*place, _ANY]) for name, view in _VIEWS.items()}
        self._devices = reverse("device_list", args=place)

    def of(self, deployment_id: str) -> dict[str, str]:
        """{"log", "edit", …: the address}."""
        return {name: pattern.replace(_ANY, deployment_id) for name, pattern in self._patterns.items()}

    def devices(self, show: str, labels: str) -> str:
        """The list of the devices that a number of its metrics counts. `labels`: separated by commas."""
        return f"{self._devices}?show={show}&label={labels}"
