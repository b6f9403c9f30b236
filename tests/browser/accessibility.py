"""Rules of axe-core (WCAG 2.0 to 2.2 A and AA, and best practice), asked of a page as it is shown now."""

from pathlib import Path

from playwright.sync_api import Page

_AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
_RUN = r"""async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const { violations } = await axe.run(document, { runOnly: tags, resultTypes: ["violations"] });
  return violations.flatMap((rule) => rule.nodes.map((node) =>
    `${rule.id} at ${node.target.join(" ")}: ${node.failureSummary.replace(/\s+/g, " ")}`));
}"""


def find_violations(page: Page) -> list[str]:
    """Each element that breaks a rule, with what is wrong. An open dialog is judged with the page behind it."""
    if not page.evaluate("'axe' in window"):
        # As the browser's own tools do: pages themselves cannot load it under their policy.
        page.evaluate(_AXE.read_text())
    violations: list[str] = page.evaluate(_RUN)
    return violations
