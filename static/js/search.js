/* "/" goes to the search field; where that is in the closed menu, the menu opens. */
(function () {
  "use strict";
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable], dialog")) return;
    const fields = [...document.querySelectorAll("[data-search]")];
    const isShown = (field) => getComputedStyle(field.closest("form")).display !== "none";
    const field = fields.find(isShown);
    if (!field) return;
    event.preventDefault();
    const menu = field.closest("details");
    if (menu) menu.open = true;
    field.focus();
  });
})();
