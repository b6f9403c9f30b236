/* a[data-dialog]: the form that it leads to opens in a <dialog>, at the address of the form. Esc, the backdrop, Back and
   data-close close it, not while its form is data-busy (a file goes up); when text was edited they ask first. The focus goes
   in, and returns to the link, or to its successor when the page was renewed meanwhile. */
(function () {
  "use strict";
  const dialog = document.getElementById("dialog");
  const TEXT = "textarea, input:not([type=hidden], [type=file], [type=radio], [type=checkbox], [type=range])";
  const FIRST = "[autofocus], [data-first], input:not([type=hidden]), textarea, select, button[type=submit]";
  const LOST = "No answer came. Whatever you entered is still here: send it again. It is not done twice.";
  let opener = null;
  // The address being loaded; "push": it becomes a new entry of the history once it is here.
  let pending = null;
  let current = "";
  let isLeaving = false;
  let focusedBefore = null;

  const findLinks = (href) => [...document.querySelectorAll("a[data-dialog]")].filter((link) => link.getAttribute("href") === href);
  const isUploading = () => dialog.querySelector("form[data-busy]") !== null;

  function isEdited() {
    const form = dialog.querySelector("form");
    if (!form) return false;
    return "edited" in form.dataset || [...form.querySelectorAll(TEXT)].some((field) => field.value !== field.defaultValue);
  }

  function load(url, step) {
    pending = { url, step };
    window.htmx.ajax("GET", url, { target: dialog, swap: "innerHTML" });
  }

  /* data-needs: scripts of a form that the page it opens on does without, once each. */
  function fetchNeeds() {
    for (const { dataset } of dialog.querySelectorAll("[data-needs]")) {
      for (const src of dataset.needs.split(" ")) {
        if (document.querySelector(`script[src="${src}"]`)) continue;
        document.head.append(Object.assign(document.createElement("script"), { src, async: false }));
      }
    }
  }

  function show() {
    if (pending) {
      if (pending.step) history[pending.step]({ dialog: pending.url }, "", pending.url);
      current = pending.url;
      pending = null;
    }
    if (!dialog.open) dialog.showModal();
    const errors = dialog.querySelector("[data-errors]");
    const first = [...dialog.querySelectorAll(FIRST)].find((element) => element.checkVisibility());
    const chosen = first && first.type === "radio" && dialog.querySelector(`input[name="${first.name}"]:checked`);
    const target = errors || dialog.querySelector("[autofocus]") || dialog.querySelector("[data-first]") || chosen || first;
    dialog.querySelector(".sheet-b").scrollTop = 0;
    (target || dialog.querySelector("a.btn-primary, [data-close]")).focus({ preventScroll: true });
  }

  function close() {
    dialog.close();
    dialog.replaceChildren();
    if (!opener) return;
    const links = findLinks(opener.href);
    const link = opener.link.isConnected ? opener.link : links[Math.min(opener.place, links.length - 1)];
    (link || document.getElementById("main")).focus();
    opener = null;
  }

  function leave() {
    isLeaving = true;
    history.back();
  }

  function ask(isAsking) {
    const question = dialog.querySelector("[data-discard]");
    question.hidden = !isAsking;
    question.previousElementSibling.hidden = isAsking;
    if (isAsking) focusedBefore = document.activeElement;
    (isAsking ? question.querySelector("[data-keep-editing]") : focusedBefore).focus();
  }

  function requestClose() {
    if (isUploading()) return;
    const question = dialog.querySelector("[data-discard]");
    if (question && !question.hidden) ask(false);
    else if (isEdited()) ask(true);
    else leave();
  }

  function tellLost(words) {
    const note = dialog.querySelector("[data-lost]");
    if (!note) return;
    note.querySelector(".grow").textContent = words;
    note.hidden = false;
    note.scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-dialog]");
    if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    const isInside = dialog.contains(link);
    const href = link.getAttribute("href");
    if (!isInside) opener = { link, href, place: findLinks(href).indexOf(link) };
    load(link.href, isInside ? "replaceState" : "pushState");
  });

  dialog.addEventListener("click", (event) => {
    const button = event.target.closest("[data-close], [data-keep-editing], [data-discard-now]");
    if (!button) return;
    event.preventDefault();
    if (button.dataset.close === "stale") location.replace(button.href);
    else if ("close" in button.dataset) requestClose();
    else if ("keepEditing" in button.dataset) ask(false);
    else leave();
  });
  // The dialog itself is hit beside its content only. Text that is selected to beyond its edge is no click on that.
  let isPressedBeside = false;
  dialog.addEventListener("pointerdown", (event) => { isPressedBeside = event.target === dialog; });
  dialog.addEventListener("click", (event) => { if (event.target === dialog && isPressedBeside) requestClose(); });
  // Not the browser's own closing: at a second Esc that would not ask.
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    requestClose();
  });
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); requestClose(); });

  window.addEventListener("popstate", (event) => {
    const url = event.state && event.state.dialog;
    if (url) { load(url, null); return; }
    if (!dialog.open) return;
    if (!isLeaving && (isUploading() || isEdited())) {
      history.pushState({ dialog: current }, "", current);
      if (!isUploading()) ask(true);
      return;
    }
    isLeaving = false;
    close();
  });

  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const { xhr, target } = event.detail;
    const url = xhr.getResponseHeader("HX-Redirect");
    if (target !== dialog || !url || xhr.status === 401) return;
    // Done. The dialog's place in the history is taken by what it led to: Back must not open it again.
    event.preventDefault();
    location.replace(url);
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, target } = event.detail;
    if (!dialog.contains(target)) return;
    if (/^\s*<!doctype/i.test(xhr.responseText)) {
      // A whole page: no permission, not found, out of order.
      event.detail.shouldSwap = event.detail.isError = false;
      if (pending) location.assign(pending.url);
      else tellLost(`The server answered ${xhr.status}. ${LOST}`);
    } else if ([409, 413, 422].includes(xhr.status)) {
      event.detail.target = dialog;
      event.detail.swapOverride = "innerHTML";
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });
  document.addEventListener("htmx:afterSwap", (event) => { if (event.detail.target === dialog) fetchNeeds(); });
  document.addEventListener("htmx:afterSettle", (event) => { if (event.detail.target === dialog) show(); });
  document.addEventListener("htmx:sendError", (event) => {
    if (event.detail.target !== dialog) return;
    if (pending) location.assign(pending.url);
    else tellLost(LOST);
  });
})();
