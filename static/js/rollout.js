/* data-rollout: slider and number stay in step, and the percentage is put in devices. The number is what is sent. */
(function () {
  "use strict";
  const grouped = new Intl.NumberFormat("en-GB");

  function describe(percent, devices) {
    if (!devices) return "No device has reported to this build yet.";
    if (percent === 100) return `All ${grouped.format(devices)} devices of this build`;
    return `About ${grouped.format(Math.round((devices * percent) / 100))} of ${grouped.format(devices)} devices`;
  }

  for (const row of document.querySelectorAll("[data-rollout]")) {
    const slider = row.querySelector("input[type=range]");
    const number = row.querySelector("input:not([type=range])");
    const output = row.parentElement.querySelector("output");
    const show = () => {
      const isWhole = /^\d{1,3}$/.test(number.value.trim()) && +number.value >= 1 && +number.value <= 100;
      output.textContent = isWhole ? describe(+number.value, +row.dataset.rollout) : "Use a whole number from 1 to 100.";
      if (isWhole) slider.value = number.value;
    };
    slider.addEventListener("input", () => { number.value = slider.value; show(); });
    number.addEventListener("input", show);
    show();
  }
})();
