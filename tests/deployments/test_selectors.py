"""Reads behind pages, where a page would not show the difference."""

from typing import Any

import pytest
from django.db import connection

from builds.models import Build, Project
from deployments import selectors
from tests.factories import BuildFactory, CodePushFactory


def test_labels_share_a_bundle_only_within_their_build(build: Build) -> None:
    first = CodePushFactory(build=build)
    copy = CodePushFactory(build=build, bundle=first.bundle, origin="promote", source=first)
    elsewhere = CodePushFactory(build=BuildFactory(), bundle=first.bundle)
    CodePushFactory(build=build)
    assert selectors.map_labels_with_same_bundle([copy, elsewhere]) == {copy.pk: {"v1", "v2"}, elsewhere.pk: {"v1"}}


def test_the_next_label_follows_the_highest_even_when_that_is_disabled(build: Build) -> None:
    assert selectors.find_next_label_number(build) == 1
    for number in range(1, 11):
        CodePushFactory(build=build, label_number=number, is_enabled=number < 10)
    assert selectors.find_next_label_number(build) == 11


def test_codepushes_are_counted_by_what_became_of_them(build: Build, django_assert_num_queries: Any) -> None:
    for status in ("success", "failed", "failed", "canceled", "pending", "processing"):
        CodePushFactory(build=build, status=status)
    CodePushFactory()
    with django_assert_num_queries(1):
        assert selectors.count_codepushes(build) == (6, 1, 2, 2)


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite plans without statistics")
def test_a_build_without_updates_is_not_looked_for_among_all_of_another(project: Project, build: Build) -> None:
    """The planner takes for granted that every build has as many; of a new one it would read the whole table."""
    CodePushFactory.create_batch(300, build=build)
    BuildFactory.create_batch(50, project=project)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    plan = selectors.order_by_last_codepush(Project.objects.all()).explain()
    assert "codepush_by_build_newest" in plan
    assert "deployments_codepush_pkey" not in plan
