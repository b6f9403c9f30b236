/* data-poll: htmx asks for the fragment at the pace it carries; not while the tab is hidden, and once on return.
   When that fails the last good content stays, and data-poll-failed says from when it is. */
(function () {
  "use strict";
  const note = document.querySelector("[data-poll-failed]");
  let refreshedAt = new Date();

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.target.matches("[data-poll]")) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    for (const fragment of document.querySelectorAll("[data-poll]")) window.htmx.trigger(fragment, "refresh");
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.target.matches("[data-poll]")) return;
    if (event.detail.successful) refreshedAt = new Date();
    note.querySelector("time").textContent = refreshedAt.toISOString().slice(11, 16);
    note.hidden = event.detail.successful;
  });
})();
