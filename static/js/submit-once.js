/* A second click while the first is on its way does nothing. */
(function () {
  "use strict";
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.isSent) event.preventDefault();
    form.dataset.isSent = "yes";
  });
  // The browser's Back button brings the page back as it was left.
  window.addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.isSent;
  });
})();
