"""A million checks, asked of four web processes while releases change: are all answers true, and how late are changes?

CHECKS=… asks fewer or more.
"""

import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor

import django

django.setup()

from builds.models import Build  # noqa: E402
from deployments.models import CodePush  # noqa: E402
from tests.answers_under_load import Verdict, ask_for_a_while, change_for_a_while, judge, list_questions  # noqa: E402
from tests.bench_server import serve  # noqa: E402

CHECKS = int(os.environ.get("CHECKS", "1000000"))
CLIENTS = 3
ROUND_SECONDS = 20.0


def main(deployment_key: str) -> None:
    build = Build.objects.select_related("triggered_by").get(deployment_key=deployment_key)
    successes = CodePush.objects.filter(build=build).successful().order_by("label_number")
    questions = list_questions(deployment_key, successes.values_list("bundle__package_hash", flat=True))
    checks, changes, wrong, delays = 0, 0, 0, list[float]()
    with tempfile.TemporaryDirectory() as folder, serve("codepush_site.wsgi:application", folder, workers=4) as server:
        while checks < CHECKS:
            verdict = _run_round(server.port, build, questions)
            checks += verdict.checks
            wrong += len(verdict.wrong)
            changes += len(verdict.propagation_seconds)
            delays = sorted([*delays, *verdict.propagation_seconds])
    p50, p99 = delays[len(delays) // 2], delays[min(len(delays) - 1, len(delays) * 99 // 100)]
    print(
        f"{checks:,} checks of 4 web processes during {changes:,} changes: {wrong} wrong; an old answer was last seen "
        f"{p50:.2f} s (p50), {p99:.2f} s (p99), {delays[-1]:.2f} s (most) after the commit"
    )


def _run_round(port: int, build: Build, questions: list[str]) -> Verdict:
    with ProcessPoolExecutor(CLIENTS) as pool:
        # Longer than the changes: the last one is looked at, too.
        phones = [pool.submit(ask_for_a_while, port, questions, ROUND_SECONDS + 2) for _ in range(CLIENTS)]
        base_url = f"http://127.0.0.1:{port}"
        states = change_for_a_while(build.pk, build.triggered_by, ROUND_SECONDS, questions, base_url)
        return judge((seen for phone in phones for seen in phone.result()), states)


if __name__ == "__main__":
    main(sys.argv[1])
