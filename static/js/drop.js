/* data-drop: files dropped here are as if chosen in the file input inside. */
(function () {
  "use strict";
  const findTarget = (event) => (event.target.closest ? event.target.closest("[data-drop]") : null);
  // A file that misses it must not replace the page.
  const isOurs = (event) => event.dataTransfer?.types.includes("Files") && document.querySelector("[data-drop]");
  const mark = (target) => {
    for (const drop of document.querySelectorAll("[data-drop]")) drop.classList.toggle("is-over", drop === target);
  };

  document.addEventListener("dragover", (event) => {
    if (!isOurs(event)) return;
    event.preventDefault();
    const target = findTarget(event);
    event.dataTransfer.dropEffect = target ? "copy" : "none";
    mark(target);
  });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) mark(null); });
  document.addEventListener("drop", (event) => {
    if (!isOurs(event)) return;
    event.preventDefault();
    mark(null);
    const input = findTarget(event)?.querySelector("input[type=file]");
    if (!input) return;
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
})();
