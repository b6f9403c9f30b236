/* When a form comes back with errors, their summary takes the focus. */
(function () {
  "use strict";
  const summary = document.querySelector("[data-errors]");
  if (summary) summary.focus();
})();
