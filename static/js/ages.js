/* <time data-ago> and <time data-running> grow older while the page is open; as builds/formats.py writes them. What
   stands in data-as-of turns amber when it is older than two minutes. */
(function () {
  "use strict";
  const DAY = 86400;
  const UNITS = [[DAY, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const LATE_SECONDS = 120;
  // Clocks differ; that of the server counts.
  const lead = document.querySelector("[data-now]").dataset.now * 1000 - Date.now();

  function describeAgo(seconds, moment) {
    if (seconds >= 7 * DAY) return moment.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
    const [size, unit] = UNITS.find(([size]) => seconds >= size || size === 1);
    return `${Math.floor(seconds / size)} ${unit} ago`;
  }

  function describeDuration(seconds) {
    const place = UNITS.findIndex(([size]) => seconds >= size);
    if (place < 0) return "0 s";
    const [size, unit] = UNITS[place];
    const [smaller, smallerUnit] = UNITS[place + 1] || [1, "s"];
    const second = Math.floor((seconds % size) / smaller);
    return `${Math.floor(seconds / size)} ${unit}` + (second ? ` ${second} ${smallerUnit}` : "");
  }

  function update() {
    for (const time of document.querySelectorAll("time[data-ago], time[data-running]")) {
      const moment = new Date(time.dateTime);
      const seconds = Math.max(0, Math.floor((Date.now() + lead - moment) / 1000));
      const text = "running" in time.dataset ? describeDuration(seconds) : describeAgo(seconds, moment);
      if (time.textContent !== text) time.textContent = text;
      const holder = time.closest("[data-as-of]");
      if (holder) holder.classList.toggle("late", seconds > LATE_SECONDS);
    }
  }

  setInterval(() => { if (!document.hidden) update(); }, 1000);
  document.addEventListener("visibilitychange", update);
})();
