/* data-upload: a file that is chosen goes up at once, and the server checks it. The form around it can be
   sent when that is done, and carries data-busy until then. Works in content that is swapped in later, too. */
(function () {
  "use strict";
  const UNITS = [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"], [1, "B"]];
  const WAITING = {
    empty: "Choose a bundle first.",
    uploading: "Waiting for the upload.",
    checking: "Waiting for the check.",
    refused: "Choose another bundle first.",
    lost: "The bundle is not uploaded yet.",
  };
  const REFUSED = {
    401: "You are signed out. Sign in again in another tab, then upload the file again.",
    403: "You may not upload here now. Reload the page to see why.",
    404: "This build is not there any more. Reload the page.",
    413: "The bundle is larger than this server takes. Leave out large assets.",
  };
  // Seconds before each further try, as long as nothing goes through.
  const PAUSES = [1, 2, 4, 8, 15];
  const SILENCE_MS = 30000;
  // Of a proxy, while the server behind it restarts.
  const FAULTS = [408, 502, 503, 504];
  // {zone: {file, key, held: bytes that the server has, farthest: most that it had, tries, timer, request}}
  const sent = new WeakMap();
  const find = (root, name) => root.querySelector(`[data-upload-${name}]`);
  const isVisible = (element) => element.getClientRects().length > 0;

  function formatProgress(done, total) {
    const [size, unit] = UNITS.find(([bytes]) => total >= bytes) || UNITS[3];
    const write = (bytes) => (bytes / size).toFixed(size === 1 ? 0 : 1);
    return done < total ? `${write(done)} of ${write(total)} ${unit}` : `${write(total)} ${unit}`;
  }
  function formatTimeLeft(seconds) {
    return seconds < 60 ? `about ${Math.max(1, Math.round(seconds))} s left` : `about ${Math.round(seconds / 60)} min left`;
  }

  function findObstacle(zone) {
    const state = zone.dataset.state;
    if (state !== "checked") return WAITING[state];
    const isIdentical = "identical" in zone.querySelector("input[name=upload]").dataset;
    const isWanted = zone.closest("form").elements.allows_identical.checked;
    return isIdentical && !isWanted ? "Same content as what is Live." : "";
  }
  function refreshSubmit(zone) {
    const form = zone.closest("form");
    const obstacle = findObstacle(zone);
    const wait = find(form, "wait");
    wait.textContent = obstacle;
    wait.hidden = !obstacle;
    if (obstacle) find(form, "submit").setAttribute("aria-disabled", "true");
    else find(form, "submit").removeAttribute("aria-disabled");
  }
  function focusIn(zone) {
    const control = [...zone.querySelectorAll("button, input[type=file]")].find(isVisible);
    if (control) control.focus();
  }
  /* `answer`: what the server, or this script in its place, says of the file. */
  function show(zone, state, announced, answer = "") {
    const hadFocus = zone.contains(document.activeElement);
    const form = zone.closest("form");
    zone.dataset.state = state;
    if (state === "uploading" || state === "checking") form.dataset.busy = "yes";
    else delete form.dataset.busy;
    find(zone, "answer").replaceChildren(answer);
    find(zone, "status").textContent = announced;
    refreshSubmit(zone);
    // What had it is gone or hidden now.
    if (hadFocus && !(zone.contains(document.activeElement) && isVisible(document.activeElement))) focusIn(zone);
  }
  function refuse(zone, state, sentence) {
    const error = zone.querySelector("template").content.cloneNode(true);
    error.querySelector("span").textContent = sentence;
    show(zone, state, sentence, error);
  }

  function findFault([file, ...others], limit) {
    if (others.length) return "Choose one file: the zip that holds the bundle.";
    if (!/\.zip$/i.test(file.name)) return `${file.name} is not a ZIP archive. Choose the zip that holds the bundle.`;
    if (file.size === 0) return `${file.name} is empty. Choose the zip that holds the bundle.`;
    if (file.size <= limit) return "";
    const [size, most] = [formatProgress(file.size, file.size), formatProgress(limit, limit)];
    return `${file.name} has ${size}; at most ${most} are taken here. Leave out large assets.`;
  }
  function take(zone, files) {
    if (!files.length) return;
    stop(zone);
    const fault = findFault(files, +zone.querySelector("input[type=file]").dataset.limit);
    find(zone, "name").textContent = files.length > 1 ? `${files.length} files` : files[0].name;
    find(zone, "told").textContent = "";
    zone.querySelector("progress").value = 0;
    if (fault) refuse(zone, "refused", fault);
    else send(zone, files[0]);
  }
  function takeFrom(zone, input) {
    const files = [...input.files];
    // It is on its way already: the form must not carry it a second time.
    input.value = "";
    take(zone, files);
  }
  function stop(zone) {
    const transfer = sent.get(zone);
    sent.delete(zone);
    clearTimeout(transfer?.timer);
    transfer?.request?.abort();
  }

  /* What the server holds of a file in parts stays there while the connection is away: the rest is sent then. */
  function send(zone, file) {
    const key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    const transfer = { file, key, held: 0, farthest: 0 };
    sent.set(zone, transfer);
    resume(zone, transfer);
  }
  function resume(zone, transfer) {
    transfer.tries = 0;
    find(zone, "again").lastChild.textContent = "Upload again";
    proceed(zone, transfer);
  }
  function proceed(zone, transfer) {
    const { file, key, held } = transfer, part = +zone.dataset.part, name = encodeURIComponent(file.name);
    if (!zone.isConnected || sent.get(zone) !== transfer) return;
    if (held < file.size) {
      find(zone, "told").textContent = formatProgress(held, file.size);
      if (zone.dataset.state !== "uploading") show(zone, "uploading", `Uploading ${file.name}.`);
    } else check(zone, transfer);
    if (file.size <= part) ask(zone, transfer, "POST", `?name=${name}`, file);
    else if (held < file.size) ask(zone, transfer, "PUT", `?key=${key}&start=${held}`, file.slice(held, held + part));
    else ask(zone, transfer, "POST", `?key=${key}&size=${file.size}&name=${name}`);
  }
  function check(zone, { file }) {
    find(zone, "told").textContent = `${formatProgress(file.size, file.size)} uploaded. Checking…`;
    show(zone, "checking", "Uploaded. The server checks the bundle.");
  }

  function ask(zone, transfer, method, query, body) {
    const request = new XMLHttpRequest();
    transfer.request = request;
    const isOurs = () => zone.isConnected && sent.get(zone) === transfer && transfer.request === request;
    const fail = () => { if (isOurs()) tryAgain(zone, transfer); };
    // A line that went dead says nothing: neither progress nor an error.
    const expectNews = () => {
      clearTimeout(transfer.timer);
      if (body) transfer.timer = setTimeout(() => { fail(); request.abort(); }, SILENCE_MS);
    };
    const startedAt = performance.now();
    request.upload.addEventListener("progress", (event) => {
      if (!isOurs()) { request.abort(); return; }
      expectNews();
      tellProgress(zone, transfer, event.loaded, (performance.now() - startedAt) / 1000);
    });
    request.upload.addEventListener("load", () => {
      if (method !== "POST" || !isOurs()) return;
      clearTimeout(transfer.timer);
      check(zone, transfer);
    });
    request.addEventListener("load", () => { if (isOurs()) takeAnswer(zone, transfer, body); });
    request.addEventListener("error", fail);
    request.open(method, zone.dataset.upload + query);
    if (body) request.setRequestHeader("Content-Type", "application/zip");
    request.setRequestHeader("X-CSRFToken", zone.closest("form").elements.csrfmiddlewaretoken.value);
    expectNews();
    request.send(body);
  }
  function tellProgress(zone, { file, held }, loaded, seconds) {
    const done = Math.min(held + loaded, file.size), percent = Math.floor((done / file.size) * 100);
    const left = ((file.size - done) * seconds) / loaded;
    zone.querySelector("progress").value = percent;
    // The first moments say nothing about the pace.
    const rest = seconds > 0.5 && left > 0 ? `, ${formatTimeLeft(left)}` : "";
    find(zone, "told").textContent = `${formatProgress(done, file.size)} (${percent}%)${rest}`;
  }
  function tryAgain(zone, transfer, trouble = "The connection broke before the upload was done.") {
    const { file, held, tries } = transfer, there = formatProgress(held, file.size);
    clearTimeout(transfer.timer);
    if (tries === PAUSES.length) {
      if (held) find(zone, "again").lastChild.textContent = "Resume";
      const kept = held ? `${there} are on the server: Resume goes on from there. ` : "";
      refuse(zone, "lost", `${trouble} ${kept}Nothing is lost in this form.`);
      return;
    }
    transfer.tries += 1;
    show(zone, "uploading", "The connection broke. The upload goes on by itself when it is back.");
    find(zone, "told").textContent = `${there}. No connection: trying again…`;
    transfer.timer = setTimeout(() => proceed(zone, transfer), PAUSES[tries] * 1000);
  }

  function takeAnswer(zone, transfer, body) {
    const { request, file } = transfer, held = request.getResponseHeader("Upload-Held");
    clearTimeout(transfer.timer);
    if (request.status === 204) {
      transfer.held += body.size;
      // Going back and forth is no progress.
      if (transfer.held > transfer.farthest) [transfer.farthest, transfer.tries] = [transfer.held, 0];
      proceed(zone, transfer);
    } else if (held !== null) {
      transfer.held = +held;
      tryAgain(zone, transfer);
    } else if (FAULTS.includes(request.status)) tryAgain(zone, transfer, `The server could not take the file (${request.status}).`);
    else if (request.status === 201) {
      const answer = document.createElement("template");
      answer.innerHTML = request.responseText;
      show(zone, "checked", "Uploaded and checked.", answer.content);
    } else takeRefusal(zone, request, file);
  }
  function takeRefusal(zone, request, file) {
    find(zone, "told").textContent = formatProgress(file.size, file.size);
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    const refusal = find(page, "refusal");
    const words = `The server could not take the file (${request.status}). Upload it again in a minute.`;
    const isFinal = request.status === 413 || request.status === 422;
    refuse(zone, isFinal ? "refused" : "lost", refusal ? refusal.textContent.trim() : REFUSED[request.status] || words);
  }

  function start(root) {
    for (const zone of root.querySelectorAll("[data-upload]")) {
      if (zone.dataset.state) continue;
      zone.dataset.state = zone.querySelector("input[name=upload]") ? "checked" : "empty";
      refreshSubmit(zone);
      // Chosen before this script was there.
      takeFrom(zone, zone.querySelector("input[type=file]"));
    }
  }
  document.addEventListener("htmx:load", (event) => start(event.target));
  start(document);

  document.addEventListener("change", (event) => {
    const zone = event.target.closest("[data-upload]");
    if (zone && event.target.type === "file") takeFrom(zone, event.target);
    if (event.target.name === "allows_identical") refreshSubmit(event.target.form.querySelector("[data-upload]"));
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-upload-cancel], [data-upload-remove], [data-upload-again]");
    if (!button) return;
    const zone = button.closest("[data-upload]");
    const isAgain = "uploadAgain" in button.dataset;
    if (isAgain) { resume(zone, sent.get(zone)); return; }
    stop(zone);
    show(zone, "empty", "uploadCancel" in button.dataset ? "Upload canceled." : "File removed.");
  });
  document.addEventListener("submit", (event) => {
    const zone = event.target.querySelector("[data-upload]");
    const obstacle = zone && findObstacle(zone);
    if (!obstacle) return;
    event.preventDefault();
    // Nobody else takes it for sent.
    event.stopImmediatePropagation();
    find(zone, "status").textContent = obstacle;
    focusIn(zone);
  }, true);

  window.addEventListener("beforeunload", (event) => {
    if (document.querySelector("form[data-busy]")) event.preventDefault();
  });
})();
