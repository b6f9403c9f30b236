/* data-adoption: draws who ran what over time from the numbers at that address, and reads out the point that is pointed
   at, or chosen with the arrow keys. Drawn anew when the theme, the width or the numbers change. */
(function () {
  "use strict";
  const REFRESH_MS = 20000;
  const HOUR = 3600, DAY = 86400;
  // The tone of those without a CodePush.
  const NONE = 4;
  const STEPS = [HOUR / 12, HOUR / 4, HOUR / 2, HOUR, 2 * HOUR, 4 * HOUR, 6 * HOUR, DAY, 2 * DAY];
  const drawn = new WeakMap();
  const counts = new Intl.NumberFormat("en-GB");
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const inUtc = (time, fields) => new Date(time * 1000).toLocaleString("en-GB", { timeZone: "UTC", ...fields });
  const find = () => document.querySelectorAll("[data-adoption]");

  // As the pages write shares: one decimal, two below 1%.
  function formatShare(part, whole) {
    if (!whole) return "–";
    const percent = part * 100 / whole;
    if (percent === 0) return "0%";
    if (percent < 0.01) return "<0.01%";
    return `${percent.toFixed(percent < 1 ? 2 : 1)}%`;
  }

  async function load(box) {
    const state = drawn.get(box) || {};
    drawn.set(box, { ...state, loadedAt: Date.now() });
    try {
      const response = await fetch(box.dataset.adoption, { headers: { Accept: "application/json" } });
      // Somebody whose session ended is led to the sign-in page: no numbers.
      if (!response.ok || response.redirected) throw new Error(`status ${response.status}`);
      show(box, await response.json());
    } catch (failure) {
      // What is drawn stays; the page says elsewhere that it cannot refresh.
      if (!state.plot) box.querySelector(".chart").textContent = "Could not load the chart. The table has the numbers.";
    }
  }

  function show(box, numbers) {
    const note = box.querySelector("[data-note]");
    note.hidden = !numbers.note;
    note.querySelector("span").textContent = numbers.note;
    const surface = box.querySelector(".chart");
    surface.setAttribute("aria-label", numbers.summary);
    box.removeAttribute("aria-busy");
    if (!numbers.bands.length) { surface.textContent = numbers.summary; return; }
    drawn.set(box, { ...drawn.get(box), numbers });
    writeLegend(box, numbers);
    draw(box);
  }

  function writeLegend(box, numbers) {
    box.querySelector(".legend").replaceChildren(...numbers.bands.map((band) => {
      const item = document.createElement("li"), swatch = document.createElement("span"), value = document.createElement("span");
      swatch.className = `sw sw${band.tone}`;
      value.className = "num strong";
      item.append(swatch, ` ${band.name} `, value);
      return item;
    }));
  }

  function readOut(box, place) {
    const { numbers } = drawn.get(box), at = place ?? numbers.times.length - 1, total = numbers.totals[at];
    const when = inUtc(numbers.times[at], { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
    box.querySelector("[data-when]").textContent = `${when} UTC, ${counts.format(total)} device${total === 1 ? "" : "s"}`;
    box.querySelectorAll(".legend .strong").forEach((value, number) => {
      value.textContent = formatShare(numbers.bands[number].devices[at], total);
    });
  }

  function draw(box) {
    const state = drawn.get(box), { numbers } = state, surface = box.querySelector(".chart");
    if (state.plot) state.plot.destroy();
    surface.textContent = "";
    const plot = new window.uPlot(describe(box, surface, numbers), stack(numbers), surface);
    drawn.set(box, { ...state, plot });
    // In case the cursor stood on the chart that was here before.
    point(box, document.activeElement === surface ? state.place : null);
  }

  /* Each band's upper edge in percent, the tallest first: those below are painted over it.
     Before the first device reported, whoever had the binary ran it without a CodePush. */
  function stack({ times, totals, bands }) {
    let below = times.map(() => 0);
    const edges = bands.map((band) => {
      below = band.devices.map((devices, at) => below[at] + devices);
      return below.map((count, at) => (totals[at] ? count * 100 / totals[at] : band.tone === NONE ? 100 : 0));
    });
    return [times, ...edges.reverse()];
  }

  function describe(box, surface, numbers) {
    const axis = { stroke: token("--ink-3"), font: `12px ${token("--bs-font-sans-serif")}`, ticks: { show: false } };
    const edge = token("--surface");
    return {
      width: surface.clientWidth, height: surface.clientHeight, padding: [22, 20, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: { x: { time: true }, y: { range: [0, 100] } },
      axes: [
        { ...axis, grid: { show: false }, size: 34, gap: 10, splits: (plot) => findSplits(plot, surface.clientWidth), values: nameTimes },
        { ...axis, grid: { stroke: token("--line"), width: 1 }, size: 44, splits: () => [0, 25, 50, 75, 100], values: (plot, splits) => splits.map((percent) => `${percent}%`) },
      ],
      series: [{}, ...[...numbers.bands].reverse().map((band) => ({ stroke: edge, width: 1, fill: token(`--s${band.tone}`), points: { show: false } }))],
      hooks: {
        draw: [(plot) => drawMarks(plot, numbers.marks)],
        setCursor: [(plot) => { drawn.get(box).place = plot.cursor.idx; readOut(box, plot.cursor.idx); }],
      },
    };
  }

  function findSplits(plot, width) {
    const { min, max } = plot.scales.x, isNarrow = width < 500;
    const wanted = (max - min) / (isNarrow ? 4 : 8);
    // Names of days do not repeat.
    const least = isOneDay(min, max) ? wanted : Math.max(wanted, DAY);
    const step = STEPS.find((seconds) => seconds >= least) || 2 * (isNarrow ? 2 : 1) * DAY;
    const splits = [];
    for (let time = Math.ceil(min / step) * step; time <= max; time += step) splits.push(time);
    return splits;
  }

  const isOneDay = (min, max) => max - min <= 1.1 * DAY;
  function nameTimes(plot, splits) {
    const { min, max } = plot.scales.x;
    return splits.map((time) => inUtc(time, isOneDay(min, max) ? { hour: "2-digit", minute: "2-digit" } : { day: "numeric", month: "short" }));
  }

  /* The newest release is named first; an older one only where its name has room beside that. */
  function drawMarks(plot, marks) {
    const { ctx, bbox } = plot, scale = window.devicePixelRatio;
    ctx.save();
    ctx.font = `600 ${12 * scale}px ${token("--bs-font-sans-serif")}`;
    ctx.textAlign = "center";
    ctx.lineWidth = scale;
    ctx.setLineDash([3 * scale, 3 * scale]);
    let free = Infinity;
    for (const mark of [...marks].reverse()) {
      const x = plot.valToPos(mark.at, "x", true), name = mark.is_live ? `${mark.label} Live` : mark.label;
      const half = ctx.measureText(name).width / 2 + 3 * scale;
      ctx.strokeStyle = token("--ink");
      ctx.globalAlpha = 0.55;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.globalAlpha = 1;
      const middle = Math.min(x, ctx.canvas.width - half);
      if (middle + half > free) continue;
      free = middle - half;
      ctx.fillStyle = token(mark.is_live ? "--live-ink" : "--ink-2");
      ctx.fillText(name, middle, bbox.top - 8 * scale);
    }
    ctx.restore();
  }

  /* Puts the cursor on a point of the chart; null takes it away, and the newest point is read out. */
  function point(box, place) {
    const { plot, numbers } = drawn.get(box);
    if (place == null) plot.setCursor({ left: -10, top: -10 });
    else plot.setCursor({ left: plot.valToPos(numbers.times[place], "x"), top: 10 });
    readOut(box, place);
  }

  document.addEventListener("keydown", (event) => {
    const box = event.target.matches("[data-adoption] .chart") && event.target.closest("[data-adoption]");
    const state = box && drawn.get(box);
    if (!state || !state.plot) return;
    const last = state.numbers.times.length - 1, at = state.place ?? last, stride = event.shiftKey ? 24 : 1;
    const places = { ArrowLeft: at - stride, ArrowRight: at + stride, Home: 0, End: last, Escape: null };
    if (!(event.key in places)) return;
    event.preventDefault();
    // Whoever hears the page hears where the keys lead, and nothing while a pointer moves.
    box.querySelector("[data-readout]").setAttribute("aria-live", "polite");
    const place = places[event.key];
    point(box, place === null ? null : Math.max(0, Math.min(last, place)));
  });
  document.addEventListener("focusout", (event) => {
    const box = event.target.matches("[data-adoption] .chart") && event.target.closest("[data-adoption]");
    if (box && drawn.get(box).plot) point(box, null);
  });

  const redraw = () => { for (const box of find()) if (drawn.get(box)?.plot) draw(box); };
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  const widths = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const plot = drawn.get(target.closest("[data-adoption]"))?.plot;
      if (plot && plot.width !== target.clientWidth) plot.setSize({ width: target.clientWidth, height: target.clientHeight });
    }
  });

  function begin() {
    for (const box of find()) {
      if (drawn.has(box)) continue;
      widths.observe(box.querySelector(".chart"));
      load(box);
    }
  }
  document.addEventListener("htmx:afterSwap", begin);
  // As often as the page is polled, which stops while nobody looks, but not every three seconds.
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.target.matches("[data-poll]")) return;
    for (const box of find()) if (Date.now() - (drawn.get(box)?.loadedAt ?? 0) > REFRESH_MS) load(box);
  });
  begin();
})();
