/* Notices go away after ten seconds, or when told to. */
(function () {
  "use strict";
  for (const notice of document.querySelectorAll(".toasts .notice")) setTimeout(() => notice.remove(), 10000);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-dismiss]")) event.target.closest(".notice").remove();
  });
})();
