"""Each constraint of invitations and sessions is seen refusing a write, whoever writes."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from sign_in.models import OpenSession
from tests.builds.test_constraints import assert_refused_by, declared_constraints
from tests.factories import InvitationFactory, UserFactory

pytestmark = pytest.mark.django_db


def _invite_twice() -> None:
    invitation = InvitationFactory()
    InvitationFactory(project=invitation.project, email=invitation.email)


def _list_twice() -> None:
    for _ in range(2):
        OpenSession.objects.create(user=UserFactory(), session_key="key", last_seen_at=timezone.now())


REFUSED_WRITES: dict[str, Callable[[], object]] = {
    "one_open_invitation_per_address": _invite_twice,
    "invitation_role_is_known": lambda: InvitationFactory(role="owner"),
    "an_invitation_ends_in_one_way": lambda: InvitationFactory(accepted_at=timezone.now(), revoked_at=timezone.now()),
    "a_session_is_listed_once": _list_twice,
}


def test_every_constraint_has_a_refused_write() -> None:
    assert set(REFUSED_WRITES) == declared_constraints("sign_in")


@pytest.mark.parametrize("name", REFUSED_WRITES)
def test_the_database_refuses_a_write_against(name: str) -> None:
    assert_refused_by(name, REFUSED_WRITES[name])


def test_who_was_invited_once_may_be_invited_again() -> None:
    invitation = InvitationFactory(revoked_at=timezone.now())
    InvitationFactory(project=invitation.project, email=invitation.email)
