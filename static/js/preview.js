/* "What will happen" is asked for anew when a field changes that it depends on. The button that does it then says so too,
   as "Roll back to v6". It stays the same element: a click that has begun on it is not lost. */
(function () {
  "use strict";
  const FIELDS = "[name=to], [name=is_enabled], [name=is_mandatory], [data-rollout] input";

  document.addEventListener("change", (event) => {
    const what = event.target.matches(FIELDS) && event.target.form.querySelector("#what[hx-post]");
    if (what) window.htmx.trigger(what, "preview");
  });
  document.addEventListener("htmx:load", (event) => {
    const what = event.target;
    const button = what.id === "what" && what.dataset.submitText && what.closest("form").querySelector("[data-submit]");
    if (!button) return;
    button.querySelector("[data-submit-words]").textContent = what.dataset.submitText;
    button.classList.toggle("btn-danger", "danger" in what.dataset);
    button.classList.toggle("btn-primary", !("danger" in what.dataset));
  });
})();
