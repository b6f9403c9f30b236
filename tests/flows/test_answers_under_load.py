"""While a person changes releases, two web processes under load tell phones the state before or after, and no older."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.answers_under_load import ask_for_a_while, judge, list_questions
from tests.flows.product import Product

_SECONDS = 5.0


def test_every_answer_is_true_when_it_is_given(product: Product, capsys: pytest.CaptureFixture[str]) -> None:
    build = product.person("make_build")
    for sample in ("android-v1.zip", "android-v2.zip"):
        product.person("publish", build_id=build["id"], sample=sample)
    product.wait_for_label(build["key"], "v2", 5)
    questions = list_questions(build["key"], product.person("list_hashes", build_id=build["id"])["hashes"])

    with ThreadPoolExecutor(1) as pool:
        # The person's process takes a while to start and to end.
        phones = pool.submit(ask_for_a_while, product.port, questions, _SECONDS + 4)
        changes = product.person(
            "change_for_a_while", build_id=build["id"], seconds=_SECONDS, questions=questions, base_url=product.url
        )
        verdict = judge(phones.result(timeout=60), changes["states"])

    with capsys.disabled():
        slowest = verdict.propagation_seconds[-1]
        print(f"\n{verdict.checks:,} checks during {len(changes['states'])} changes, the slowest {slowest:.2f} s")
    assert verdict.wrong == []
    assert verdict.checks > 1000
    assert len(changes["states"]) > 5
