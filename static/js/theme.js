/* In <head>, before the first paint: the theme chosen here earlier, else the system's. Then the button that changes it. */
(function () {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");
  let chosen = null;
  // Storage may be denied; then the choice lasts for the page.
  try { chosen = localStorage.getItem("theme"); } catch (denied) { chosen = null; }
  root.dataset.bsTheme = chosen || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const theme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    root.dataset.bsTheme = theme;
    try { localStorage.setItem("theme", theme); } catch (denied) { /* as above */ }
  });
})();
