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
  // {zone: {file, request}}
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
    const { request } = sent.get(zone) || {};
    sent.delete(zone);
    if (request) request.abort();
  }

  function send(zone, file) {
    const request = new XMLHttpRequest();
    const startedAt = performance.now();
    const bar = zone.querySelector("progress");
    const tell = (text) => { find(zone, "told").textContent = text; };
    const isOurs = () => sent.get(zone)?.request === request;
    sent.set(zone, { file, request });
    bar.value = 0;
    tell(formatProgress(0, file.size));
    show(zone, "uploading", `Uploading ${file.name}.`);

    request.upload.addEventListener("progress", (event) => {
      if (!zone.isConnected) request.abort();
      const percent = Math.floor((event.loaded / file.size) * 100);
      const seconds = (performance.now() - startedAt) / 1000;
      const left = ((file.size - event.loaded) * seconds) / event.loaded;
      bar.value = percent;
      // The first moments say nothing about the pace.
      const rest = seconds > 0.5 && left > 0 ? `, ${formatTimeLeft(left)}` : "";
      tell(`${formatProgress(event.loaded, file.size)} (${percent}%)${rest}`);
    });
    request.upload.addEventListener("load", () => {
      tell(`${formatProgress(file.size, file.size)} uploaded. Checking…`);
      if (isOurs()) show(zone, "checking", "Uploaded. The server checks the bundle.");
    });
    request.addEventListener("load", () => { if (isOurs()) takeAnswer(zone, request); });
    request.addEventListener("error", () => {
      if (isOurs()) refuse(zone, "lost", "The connection broke before the upload was done. Nothing is lost in this form.");
    });
    request.open("POST", `${zone.dataset.upload}?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("Content-Type", "application/zip");
    request.setRequestHeader("X-CSRFToken", zone.closest("form").elements.csrfmiddlewaretoken.value);
    request.send(file);
  }
  function takeAnswer(zone, request) {
    if (request.status === 201) {
      const answer = document.createElement("template");
      answer.innerHTML = request.responseText;
      show(zone, "checked", "Uploaded and checked.", answer.content);
      return;
    }
    const { file } = sent.get(zone);
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
    const { file } = sent.get(zone) || {};
    stop(zone);
    if (isAgain) send(zone, file);
    else show(zone, "empty", "uploadCancel" in button.dataset ? "Upload canceled." : "File removed.");
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
