"""What the first load of Build Detail costs a browser: bytes over the wire, shifts of layout, time until it answers.

After `tests.bench_pages`, of whose build it is, in the same environment; against the server that serves the product.
"""

import tempfile
import time

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from playwright.sync_api import Page, sync_playwright  # noqa: E402

from builds.models import Build  # noqa: E402
from tests.bench import PRODUCT  # noqa: E402
from tests.bench_pages import KEY  # noqa: E402
from tests.bench_server import serve  # noqa: E402
from tests.browser.conftest import CHROMIUM, FLAGS  # noqa: E402

WIDTHS = (1440, 390)
# Kept by the page itself from its first moment on.
WATCH_SHIFTS = """
    window.shifts = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
"""
READ_TIMES = """() => {
    const [visit] = performance.getEntriesByType("navigation");
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    return { painted: paint.startTime, interactive: visit.domContentLoadedEventEnd, shifts: window.shifts };
}"""


def main() -> None:
    build = Build.objects.filter(deployment_key=KEY).select_related("project").first()
    if connection.vendor != "postgresql" or build is None or CHROMIUM is None:
        print("first load: skipped, needs PostgreSQL and chromium")
        return
    client = Client()
    client.force_login(User.objects.get(username=KEY))
    session = client.cookies["sessionid"].value
    path = f"/projects/{build.project.slug}/builds/{build.pk}/"
    print(f"{'':28}{'kB':>12}{'painted ms':>12}{'interactive ms':>16}{'shift':>8}")
    with tempfile.TemporaryDirectory() as folder, serve(PRODUCT, folder) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for width in WIDTHS:
            context = browser.new_context(viewport={"width": width, "height": 900})
            address = f"http://localhost:{server.port}"
            context.add_cookies([{"name": "sessionid", "value": session, "url": address}])
            context.add_init_script(WATCH_SHIFTS)
            _measure(context.new_page(), f"{address}{path}", width)
            context.close()
        browser.close()


def _measure(page: Page, address: str, width: int) -> None:
    """One visit with an empty cache; the server is warm."""
    received = []
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.request.get(address)
    page.goto(address, wait_until="networkidle")
    time.sleep(1)
    times = page.evaluate(READ_TIMES)
    name = f"Build Detail, {width} px wide"
    times_ms = f"{times['painted']:>12.0f}{times['interactive']:>16.0f}"
    print(f"{name:28}{sum(received) / 1000:>12.1f}{times_ms}{times['shifts']:>8.3f}", flush=True)


if __name__ == "__main__":
    main()
