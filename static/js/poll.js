/* data-poll: htmx asks for the fragment at the pace it carries; not while the tab is hidden, and once on return. */
(function () {
  "use strict";
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.target.matches("[data-poll]")) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    for (const fragment of document.querySelectorAll("[data-poll]")) window.htmx.trigger(fragment, "refresh");
  });
})();
