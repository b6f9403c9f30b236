/* When a form comes back with errors, their summary takes the focus. Its links lead to the fields. */
(function () {
  "use strict";
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-errors] a");
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    // Followed as a link, it would change the address, which is the dialog's.
    event.preventDefault();
    (field.matches("fieldset") ? field.querySelector("input:checked") || field.querySelector("input") : field).focus();
  });
  const summary = document.querySelector("[data-errors]");
  if (summary) summary.focus();
})();
