"""Sessions that let nobody in, and old notes of the admin, go by themselves; others stay."""

from datetime import timedelta

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone

from builds.tasks import delete_expired
from tests.deployments.pages import AsUser


def test_expired_sessions_go_and_those_of_others_stay(as_user: AsUser, viewer: User, owner: User) -> None:
    gone, stays = as_user(viewer), as_user(owner)
    Session.objects.filter(pk=gone.session.session_key).update(expire_date=timezone.now() - timedelta(seconds=1))

    delete_expired()

    assert list(Session.objects.values_list("pk", flat=True)) == [stays.session.session_key]
    assert stays.get("/projects/").status_code == 200


def test_what_the_admin_noted_goes_after_a_year(owner: User) -> None:
    for days in (366, 364):
        noted = LogEntry.objects.create(user=owner, action_flag=CHANGE, object_repr=f"{days}")
        LogEntry.objects.filter(pk=noted.pk).update(action_time=timezone.now() - timedelta(days=days))

    delete_expired()

    assert list(LogEntry.objects.values_list("object_repr", flat=True)) == ["364"]
