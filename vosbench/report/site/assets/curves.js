/* J and F of a video's frames over time, a line for each method that is chosen. State: m methods, w what, f frame. */
"use strict";
(() => {
  const place = document.getElementById("curves");
  const data = place && VB.data[place.dataset.path];
  if (!data) return;
  const { el, svg, format, state } = VB;
  let WIDTH = 960;
  const HEIGHT = 280, LEFT = 36, RIGHT = 12, TOP = 12, BOTTOM = 26, FIRST = 3;
  const rows = [...place.querySelectorAll("[data-row]")].map((row, at) => ({ key: row.dataset.row, title: row.dataset.title, colour: at % 8, dash: Math.floor(at / 8) % 4 }));
  const known = new Set(rows.map((row) => row.key));
  const length = Math.max(2, data.length || 0);
  let S;
  const scored = Object.values(data.J).map((values) => values.findIndex((value) => value !== null)).filter((at) => at >= 0);
  const first = scored.length ? Math.min(...scored) : 0;

  function read() {
    const found = state.get();
    const chosen = (found.m || "").split(",").filter((key) => known.has(key));
    const frame = Number.parseInt(found.f, 10);
    S = {
      what: found.w === "F" ? "F" : "J",
      chosen: new Set(found.m === undefined ? rows.slice(0, FIRST).map((row) => row.key) : chosen),
      frame: Number.isInteger(frame) && frame >= 0 ? Math.min(frame, length - 1) : first,
    };
  }
  function write() {
    state.set({ m: rows.filter((row) => S.chosen.has(row.key)).map((row) => row.key).join(",") || "none", w: S.what === "J" ? "" : "F", f: S.frame === first ? "" : S.frame });
    draw();
  }

  const x = (frame) => LEFT + (frame / (length - 1)) * (WIDTH - LEFT - RIGHT);
  const y = (value) => TOP + (1 - Math.min(Math.max(value, 0), 1)) * (HEIGHT - TOP - BOTTOM);
  const plot = svg("svg", { class: "plot", role: "img" });
  const slider = el("input", { type: "range", min: "0", max: String(length - 1), step: "1", "aria-label": "Frame", on: { input: () => { S.frame = Number(slider.value); write(); } } });
  const legend = el("ul", { class: "legend" });
  const what = el("select", { on: { change: () => { S.what = what.value; write(); } } }, el("option", { value: "J", text: "J, region" }), el("option", { value: "F", text: "F, contour" }));
  const link = place.dataset.viewer ? el("a", { text: "This frame in the viewer" }) : null;
  const note = el("span", { class: "muted" });
  const boxes = rows.map((row) => {
    const box = el("input", { type: "checkbox", on: { change: () => { if (box.checked) S.chosen.add(row.key); else S.chosen.delete(row.key); write(); } } });
    const value = el("span", { class: "value" });
    legend.append(el("li", {}, el("label", { class: `c${row.colour} dash-${row.dash}` }, box, el("span", { class: "swatch", "aria-hidden": "true" }), el("bdi", { text: row.title }), value)));
    return { row, box, value };
  });
  place.className = "curves";
  place.append(el("div", { class: "extras" }, el("label", { class: "check" }, "Show ", what), note, link), plot, slider, legend);

  function pieces(values) {
    const found = [[]];
    values.forEach((value, frame) => { if (value === null) found.push([]); else found[found.length - 1].push(`${x(frame).toFixed(1)},${y(value).toFixed(1)}`); });
    return found.filter((points) => points.length).map((points) => points.join(" "));
  }

  function draw() {
    const series = data[S.what];
    WIDTH = Math.max(280, plot.clientWidth || 960);
    plot.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    const every = Math.max(1, Math.ceil(length / Math.min(10, WIDTH / 60) / 5) * 5);
    const ticks = Array.from({ length: Math.ceil(length / every) }, (_, at) => at * every);
    plot.replaceChildren(
      ...[0, 0.25, 0.5, 0.75, 1].flatMap((value) => [svg("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }), svg("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end", text: String(value) })]),
      ...ticks.map((frame) => svg("text", { x: x(frame), y: HEIGHT - 6, "text-anchor": "middle", text: String(frame) })),
      ...rows.filter((row) => S.chosen.has(row.key) && series[row.key]).flatMap((row) => pieces(series[row.key]).map((points) => svg("polyline", { class: `c${row.colour}`, points, "stroke-dasharray": ["none", "7 4", "2 3", "9 3 2 3"][row.dash] }))),
      svg("line", { class: "cursor", x1: x(S.frame), x2: x(S.frame), y1: TOP, y2: HEIGHT - BOTTOM }));
    plot.setAttribute("aria-label", `${S.what} of ${S.chosen.size} methods over ${length} frames; the values at frame ${S.frame} are in the legend`);
    for (const { row, box, value } of boxes) {
      box.checked = S.chosen.has(row.key);
      value.textContent = series[row.key] ? format(series[row.key][S.frame]) : "–";
    }
    what.value = S.what;
    slider.value = String(S.frame);
    slider.setAttribute("aria-valuetext", `frame ${S.frame}`);
    note.textContent = `frame ${S.frame} of 0–${length - 1}`;
    if (link) link.href = `${place.dataset.viewer}&f=${S.frame}`;
  }

  plot.addEventListener("pointerdown", seek);
  plot.addEventListener("pointermove", (event) => { if (event.buttons === 1) seek(event); });
  function seek(event) {
    const box = plot.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width * WIDTH - LEFT) / (WIDTH - LEFT - RIGHT) * (length - 1);
    S.frame = Math.max(0, Math.min(length - 1, Math.round(at)));
    write();
  }
  addEventListener("resize", draw);
  state.listen(() => { read(); draw(); });
  read();
  draw();
})();
