/* data-theme-choice: buttons that set the theme of this browser; "" is as the system has it. See theme.js. */
(function () {
  "use strict";
  const buttons = [...document.querySelectorAll("[data-theme-choice]")];
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = "";
  try { chosen = localStorage.getItem("theme") || ""; } catch (denied) { chosen = ""; }

  function show() {
    for (const button of buttons) button.setAttribute("aria-pressed", button.dataset.themeChoice === chosen);
  }
  for (const button of buttons) {
    button.addEventListener("click", () => {
      chosen = button.dataset.themeChoice;
      try {
        if (chosen) localStorage.setItem("theme", chosen);
        else localStorage.removeItem("theme");
      } catch (denied) { /* Then the choice lasts for the page. */ }
      document.documentElement.dataset.bsTheme = chosen || (system.matches ? "dark" : "light");
      show();
    });
  }
  // After the button in the header changed it.
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    chosen = document.documentElement.dataset.bsTheme;
    show();
  });
  show();
})();
