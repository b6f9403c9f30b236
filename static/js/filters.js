/* data-filters: choosing from a list applies it; without JavaScript the form's button does. */
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-filters]");
  if (form && event.target.matches("select")) form.requestSubmit();
});
