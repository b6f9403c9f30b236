/* data-key: the deployment key comes uncovered and takes the focus; when it was asked for to be copied, it is. */
(function () {
  "use strict";
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.target.matches("[data-key]") || event.detail.successful) return;
    // It may be tried again.
    delete event.target.dataset.isSent;
    document.getElementById("announcer").textContent = "The deployment key could not be shown. Try again.";
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    const revealed = document.querySelector("#deployment-key [data-revealed]");
    if (!revealed || event.detail.requestConfig.verb !== "post") return;
    if (event.detail.requestConfig.parameters.then === "copy") revealed.parentElement.querySelector("[data-copy]").click();
    else revealed.focus();
  });
})();
