/* data-rollout: slider and number stay in step, and the percentage is put in devices. The number is what is sent. */
(function () {
  "use strict";
  const grouped = new Intl.NumberFormat("en-GB");

  function describe(percent, devices) {
    if (!devices) return "No device has reported to this build yet.";
    if (percent === 100) return `All ${grouped.format(devices)} devices of this build`;
    return `About ${grouped.format(Math.round((devices * percent) / 100))} of ${grouped.format(devices)} devices`;
  }

  function show(row) {
    const slider = row.querySelector("input[type=range]");
    const number = row.querySelector("input:not([type=range])");
    const output = row.parentElement.querySelector("output");
    const isWhole = /^\d{1,3}$/.test(number.value.trim()) && +number.value >= 1 && +number.value <= 100;
    output.textContent = isWhole ? describe(+number.value, +row.dataset.rollout) : "Use a whole number from 1 to 100.";
    if (isWhole) slider.value = number.value;
  }

  function showAll(part) {
    for (const row of part.querySelectorAll("[data-rollout]")) show(row);
  }

  document.addEventListener("input", (event) => {
    const row = event.target.closest("[data-rollout]");
    if (!row) return;
    if (event.target.type === "range") row.querySelector("input:not([type=range])").value = event.target.value;
    show(row);
  });
  document.addEventListener("htmx:load", (event) => showAll(event.target));
  showAll(document);
})();
