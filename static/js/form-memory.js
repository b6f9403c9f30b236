/* data-remember: what was typed into a form survives a session that ended. It is kept when the form is sent or the server
   asks to sign in, and is back when the form is shown at its address after that; any other page forgets it, for which
   every page of somebody who is signed in has this script.
   Never kept: files, the deployment key, and what the server put into hidden fields. */
(function () {
  "use strict";
  const PLACE = "unsent-form";
  const KEPT = "textarea[name], select[name], input[name]:not([type=hidden], [type=file], [type=password])";

  function listFields(form) {
    return [...form.querySelectorAll(KEPT)].filter((field) => field.name !== "deployment_key");
  }

  function keep(form) {
    const values = listFields(form).map((field) => [field.name, field.value, field.checked]);
    // Storage may be denied; then what was typed is lost with the session.
    try { sessionStorage.setItem(PLACE, JSON.stringify({ path: new URL(form.action).pathname, values })); } catch (denied) { /* as above */ }
  }

  function takeKept() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(PLACE));
      sessionStorage.removeItem(PLACE);
      return kept;
    } catch (denied) { return null; }
  }

  function restore(form, values) {
    const isSame = (field, name, value) =>
      field.name === name && (!["radio", "checkbox"].includes(field.type) || field.value === value);
    for (const [fieldName, value, isChecked] of values) {
      const field = listFields(form).find((candidate) => isSame(candidate, fieldName, value));
      if (!field) continue;
      if (field.matches("[type=radio], [type=checkbox]")) field.checked = isChecked; else field.value = value;
      for (const name of ["input", "change"]) field.dispatchEvent(new Event(name, { bubbles: true }));
    }
    form.querySelector("[data-kept]").hidden = false;
  }

  document.addEventListener("submit", (event) => {
    if (event.target.matches("form[data-remember]")) keep(event.target);
  });
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const form = document.querySelector("dialog[open] form[data-remember]") || document.querySelector("form[data-remember]");
    if (event.detail.xhr.status === 401 && form) keep(form);
  });
  // By then htmx knows the page: what depends on the fields is asked for anew.
  document.addEventListener("DOMContentLoaded", () => {
    const kept = takeKept();
    const form = document.querySelector("form[data-remember]");
    if (kept && form && kept.path === location.pathname && !("edited" in form.dataset)) restore(form, kept.values);
  });
})();
