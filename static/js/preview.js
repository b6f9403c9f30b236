/* When "What will happen" was renewed, the button that does it says so too: "Roll back to v6". It stays the same
   element: a click that has begun on it is not lost. */
document.addEventListener("htmx:load", (event) => {
  const what = event.detail.elt;
  const button = what.id === "what" && what.dataset.submitText && what.closest("form").querySelector("[data-submit]");
  if (!button) return;
  button.querySelector("[data-submit-words]").textContent = what.dataset.submitText;
  button.classList.toggle("btn-danger", "danger" in what.dataset);
  button.classList.toggle("btn-primary", !("danger" in what.dataset));
});
