/* data-poll="seconds": the fragment is asked for anew, at the pace that it carries itself; "0" is not. Its data-tag goes
   along, and when nothing has changed the answer is 304.

   Not while the tab is hidden (once on return), nor while a dialog is open (once when it closes). Errors make the pace
   slower; the last good content stays, and data-poll-failed says from when it is. What is new in a list that somebody
   points at waits behind data-poll-show; whatever else changes, what they look at keeps its place in the window. */
(function () {
  "use strict";
  const BACK_OFF = [3, 6, 12, 24, 48, 60];
  const note = document.querySelector("[data-poll-failed]");
  const announcer = document.getElementById("announcer");
  const find = () => document.querySelector("[data-poll]");
  const isOurs = (event) => event.target.matches("[data-poll]");
  let timer = null;
  let failures = 0;
  let refreshedAt = new Date();
  let mayMove = false;
  let anchor = null;
  let shown = { ...find().dataset };

  // What somebody opened or uncovered stays so.
  Object.assign(window.Idiomorph.defaults.callbacks, {
    beforeAttributeUpdated: (name, element) => !(name === "open" && element.matches("details, dialog")),
    beforeNodeMorphed: (node) => !(node.dataset && "keep" in node.dataset),
  });

  function schedule() {
    clearTimeout(timer);
    const seconds = failures ? BACK_OFF[Math.min(failures, BACK_OFF.length) - 1] : Number(find().dataset.poll);
    if (seconds && !document.hidden) timer = setTimeout(refresh, seconds * 1000);
  }

  function refresh() {
    if (document.hidden) return;
    if (document.querySelector("dialog[open]")) schedule();
    else window.htmx.trigger(find(), "refresh");
  }

  /* Leaves out what is new while somebody points at the list or has the focus in it, and offers it instead. */
  function hold(detail) {
    const isInUse = [...find().querySelectorAll("[data-poll-items]")].some(
      (list) => list.querySelector(":scope > [id]") && list.matches(":hover, :focus-within"),
    );
    if (mayMove || !isInUse) return;
    const incoming = new DOMParser().parseFromString(detail.serverResponse, "text/html");
    const items = [...incoming.querySelectorAll("[data-poll-items] > [id]")];
    const added = items.filter((item) => !document.getElementById(item.id));
    if (!added.length) return;
    for (const item of added) item.remove();
    const button = incoming.querySelector("[data-poll-show]");
    const noun = incoming.querySelector("[data-poll-items]").dataset.pollNoun || "update";
    button.textContent = `${added.length} new ${noun}${added.length === 1 ? "" : "s"}. Show`;
    button.hidden = false;
    // What is on the page is not what the server has: the next answer must not be 304.
    incoming.querySelector("[data-poll]").dataset.tag = "";
    detail.serverResponse = incoming.body.innerHTML;
  }

  /* What keeps its place: the item that somebody points at or works in, else the first one in the window. */
  function findAnchor() {
    const items = [...find().querySelectorAll("[data-poll-items] > [id]")];
    const item =
      items.find((each) => each.matches(":focus-within")) ||
      items.find((each) => each.matches(":hover")) ||
      (window.scrollY > 0 && items.find((each) => each.getBoundingClientRect().bottom > 64));
    return item ? { id: item.id, top: item.getBoundingClientRect().top } : null;
  }

  function keepPlace() {
    const item = anchor && !mayMove && document.getElementById(anchor.id);
    if (item) window.scrollBy({ top: item.getBoundingClientRect().top - anchor.top, behavior: "instant" });
  }

  /* In the title of the tab, and once to people who hear the page. */
  function tellNews() {
    const now = { ...find().dataset };
    const say = (title, sentence) => {
      document.title = `${title} · ${now.of}`;
      announcer.textContent = sentence;
    };
    if (now.live !== shown.live) {
      if (now.live) say(`✓ ${now.live} Live`, `${now.live} is Live`);
      else say("No update Live", "No update is Live");
    } else if (Number(now.failed) > Number(shown.failed)) {
      say("✗ Update failed", "The update failed. Devices were not affected.");
    }
    shown = now;
  }

  document.addEventListener("htmx:configRequest", (event) => {
    if (isOurs(event) && event.target.dataset.tag) event.detail.headers["If-None-Match"] = event.target.dataset.tag;
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!isOurs(event) || event.detail.xhr.status >= 400) return;
    // A dialog may have been opened since the question was asked; it is asked again when that closes.
    event.detail.shouldSwap = event.detail.xhr.status !== 304 && !document.querySelector("dialog[open]");
    if (!event.detail.shouldSwap) return;
    hold(event.detail);
    anchor = findAnchor();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (!isOurs(event)) return;
    keepPlace();
    mayMove = false;
    tellNews();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!isOurs(event)) return;
    const { successful, xhr } = event.detail;
    failures = successful ? 0 : failures + 1;
    if (successful) refreshedAt = new Date();
    note.querySelector("time").textContent = refreshedAt.toISOString().slice(11, 16);
    note.hidden = successful;
    const asOf = successful && xhr.getResponseHeader("X-As-Of");
    if (asOf) for (const time of document.querySelectorAll("[data-as-of] time")) time.dateTime = asOf;
    schedule();
  });
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    refresh();
  });
  // "close" does not bubble.
  document.addEventListener("close", refresh, true);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-poll-now]")) refresh();
    if (!event.target.closest("[data-poll-show]")) return;
    mayMove = true;
    refresh();
  });
  schedule();
})();
