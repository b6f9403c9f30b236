/* A button with data-copy puts that text on the clipboard, shows a tick for a moment, and says so. */
(function () {
  "use strict";
  const swap = (use, from, to) => use.setAttribute("href", use.getAttribute("href").replace(from, to));

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const announcer = document.getElementById("announcer");
    const name = button.dataset.copyName;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch (refused) {
      // Browsers offer the clipboard over https and on localhost only.
      announcer.textContent = `${name} could not be copied. Select it instead.`;
      return;
    }
    const use = button.querySelector("use");
    swap(use, "#i-copy", "#i-check");
    announcer.textContent = `${name} copied`;
    setTimeout(() => swap(use, "#i-check", "#i-copy"), 1600);
  });
})();
