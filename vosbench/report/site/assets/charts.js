/* The page of charts. Words of the state: d dataset, g group of records that can be compared, x measure, m keys of
   records, separated by commas. */
"use strict";
(() => {
  const place = document.getElementById("charts");
  if (!place || !VB.rows) return;
  const { el, format, state, plots } = VB;
  const { style, figure, label } = plots;
  const FIRST = 6;
  const KEYS = place.dataset.datasets.split(" ");
  const controls = el("div", { class: "controls" });
  const status = el("p", { class: "status", role: "status" });
  const body = el("div");
  place.append(controls, status, body);
  let wanted = 0;

  async function show() {
    const words = state.get();
    const dataset = KEYS.includes(words.d) ? words.d : KEYS[0];
    wanted += 1;
    const now = wanted;
    let compared, drawn;
    try {
      [compared, drawn] = await Promise.all([VB.load(`data/compare/${dataset}.js`), VB.load(`data/charts/${dataset}.js`)]);
    } catch (error) {
      status.textContent = `The data of this dataset are missing: ${error.message}.`;
      return;
    }
    if (now !== wanted) return; // another dataset was chosen meanwhile
    const group = compared.groups.find((each) => each.key === words.g) || compared.groups[0];
    const measure = group.measures.find((each) => each.name === words.x) || group.measures.find((each) => each.name === "JF_mean") || group.measures[0];
    const rows = plots.rowsOf(dataset);
    const board = VB.measureAt[measure.name];
    const score = (key) => (board === undefined ? null : rows[key].values[board]);
    const sign = measure.better === "lower" ? 1 : -1;
    const ranked = group.rows.map(([key]) => key).sort((one, other) => (score(one) === null) - (score(other) === null) || sign * (score(one) - score(other)));
    const asked = (words.m || "").split(",").filter((key) => ranked.includes(key)).slice(0, plots.MOST);
    const chosen = asked.length ? ranked.filter((key) => asked.includes(key)) : ranked.slice(0, FIRST);
    drawControls({ compared, dataset, group, measure, ranked, chosen, rows });
    const of = (key, index) => ({ key, at: index, title: rows[key].title, score: score(key), ...drawn.rows[`${group.key}/${key}`] });
    const methods = chosen.map(of);
    const context = { dataset, group, measure, methods, every: ranked.map(of), attributes: drawn.attributes[group.key], over: `${VB.datasets[dataset].title}, ${group.split}, ${group.signature.replaceAll("|", " | ")}` };
    const sections = [byAttribute, success, precision, speed, years].map((make) => make(context)).filter(Boolean);
    body.replaceChildren(...sections.map(([id, title, ...parts]) => el("section", { "aria-labelledby": id }, el("h2", { id, text: title }), parts)));
    plots.forget();
    status.textContent = `${methods.length} of ${ranked.length} methods, ${measure.heading}, on ${context.over}`;
  }

  function change(changes) {
    if ("d" in changes) changes = { g: "", m: "", x: "", ...changes };
    if ("g" in changes) changes = { m: "", ...changes };
    state.set(changes);
    show();
  }

  function drawControls({ compared, dataset, group, measure, ranked, chosen, rows }) {
    const full = chosen.length >= plots.MOST;
    const methods = el("details", { class: "chooser methods" }, el("summary", { text: `Methods (${chosen.length} of ${ranked.length})` }),
      el("fieldset", {}, el("legend", { class: "hidden", text: `Methods, at most ${plots.MOST}` }), ranked.map((key) => {
        const on = chosen.includes(key);
        const box = el("input", { type: "checkbox", checked: on, disabled: (full && !on) || (on && chosen.length === 1), on: { change: () => {
          change({ m: ranked.filter((each) => (each === key ? box.checked : chosen.includes(each))).join(",") });
        } } });
        return el("label", {}, box, " ", el("bdi", { text: rows[key].title }));
      })));
    plots.controls(controls, [
      el("div", { class: "fields" },
        plots.field("Dataset", dataset, KEYS.map((key) => [key, VB.datasets[key].title]), (d) => change({ d })),
        plots.field("Protocol", group.key, compared.groups.map((each) => [each.key, plots.groupName(each)]), (g) => change({ g })),
        plots.field("Measure", measure.name, group.measures.map((each) => [each.name, each.heading]), (x) => change({ x }))),
      methods,
    ]);
  }

  const entriesOf = (methods, value) => methods.map((each) => ({ label: each.title, at: each.at, value: value(each) }));

  function byAttribute({ measure, methods, attributes, over }) {
    if (!attributes.length) return null;
    const having = methods.filter((each) => (each.attributes[measure.name] || []).some((value) => value !== null));
    if (!having.length) return null;
    const names = attributes.map(([name, count]) => `${name} (${count})`);
    const points = having.flatMap((each) => each.attributes[measure.name].map((value, at) => ({ value, name: names[at], title: `${each.title}\n${names[at]}: ${format(value)}`, of: each })))
      .filter((point) => point.value !== null);
    const few = having.length <= 4;
    const draw = (width) => {
      const common = { width, marginLeft: 70, x: { label: `${measure.heading}${measure.better === "lower" ? " (lower is better)" : ""}`, grid: true, zero: few, nice: true } };
      if (few) {
        return plots.plot({
          ...common,
          height: 76 + names.length * (9 * having.length + 9),
          fy: { domain: names, label: null, axis: "left", padding: 0.22 },
          y: { domain: having.map((each) => each.key), axis: null, padding: 0.08 },
          marks: [
            ...having.map((each) => Plot.barX(points.filter((point) => point.of === each), { x: "value", fy: "name", y: () => each.key, fill: style(each.at).color })),
            Plot.ruleX([0]),
            Plot.tip(points, Plot.pointerY({ x: "value", fy: "name", y: (point) => point.of.key, title: "title" })),
          ],
        });
      }
      return plots.plot({
        ...common,
        height: 76 + names.length * 24,
        y: { domain: names, label: null },
        marks: [
          Plot.ruleY(names, Plot.groupY({}, { y: (name) => name, stroke: "none" })),
          Plot.ruleY(d3.groups(points, (point) => point.name), { y: ([name]) => name, x1: ([, of]) => d3.min(of, (point) => point.value), x2: ([, of]) => d3.max(of, (point) => point.value), strokeOpacity: 0.3 }),
          ...having.map((each) => Plot.dot(points.filter((point) => point.of === each), { x: "value", y: "name", r: 5, fill: style(each.at).color, symbol: style(each.at).symbol, stroke: "var(--surface)", strokeWidth: 0.7 })),
          Plot.tip(points, Plot.pointer({ x: "value", y: "name", title: "title" })),
        ],
      });
    };
    const best = having.map((each) => { const values = each.attributes[measure.name]; const worst = d3.minIndex(values, (value) => (value === null ? NaN : measure.better === "lower" ? -value : value)); return `${each.title} is weakest on ${attributes[worst][0]}, ${format(values[worst])}`; });
    return ["by-attribute", "By attribute", figure({
      name: `${measure.heading} by attribute. ${best.join("; ")}.`,
      caption: `Mean ${measure.heading} over the videos with each attribute; the number of these videos is in brackets. ${over}.`,
      entries: entriesOf(having, (each) => format(each.score)),
      kind: few ? "bar" : "dot",
      draw,
      table: { head: ["Attribute", ...having.map((each) => each.title)], rows: names.map((name, at) => [name, ...having.map((each) => each.attributes[measure.name][at])]) },
    })];
  }

  /* Lines of several methods over an axis from 0 to 1, with the values below the pointer. */
  function lines(width, series, { x, y, xLabel, yLabel, marks = [] }) {
    const points = series.flatMap((each) => each.points.map((point) => ({ ...point, of: each })));
    const side = Math.min(430, Math.max(260, width * 0.6));
    return plots.plot({
      width,
      height: side,
      x: { label: xLabel, domain: [0, 1], grid: true },
      y: { label: yLabel, domain: [0, 1], grid: true },
      marks: [
        ...marks,
        ...series.map((each) => Plot.line(each.points, { x, y, stroke: style(each.at).color, strokeDasharray: style(each.at).dash, strokeWidth: 2 })),
        Plot.tip(points, Plot.pointer({ x, y, title: (point) => `${point.of.title}\n${xLabel} ${format(point[x], 2)}\n${yLabel} ${format(point[y], 3)}` })),
      ],
    });
  }

  function success({ measure, methods, over }) {
    const of = measure.name.startsWith("F") ? "F" : "J";
    const series = methods.filter((each) => each.success[of]).map((each) => ({ ...each, points: each.success[of].map((share, at) => ({ x: at / 100, y: share })) }));
    if (!series.length) return null;
    const area = (each) => d3.mean(each.success[of].slice(1).map((share, at) => (share + each.success[of][at]) / 2));
    const levels = [50, 70, 80, 90];
    const without = methods.filter((each) => !each.success[of]).map((each) => each.title);
    return ["success", "Frames above a threshold", figure({
      name: `Share of frames whose ${of} is above a threshold. ${series.map((each) => `${each.title}: ${format(100 * each.success[of][80], 0)} % above 0.8`).join("; ")}.`,
      caption: `Share of all scored frames whose ${of} is above the threshold; the area below a line is the mean over frames, which the legend states.${without.length ? ` No values of frames are kept of ${without.join(", ")}.` : ""} ${over}.`,
      entries: entriesOf(series, (each) => format(area(each))),
      kind: "line",
      draw: (width) => lines(width, series, { x: "x", y: "y", xLabel: `threshold of ${of}`, yLabel: "share of frames" }),
      table: { head: ["Method", ...levels.map((level) => `above ${level / 100}`), "mean over frames"], rows: series.map((each) => [each.title, ...levels.map((level) => each.success[of][level]), area(each)]) },
    })];
  }

  function precision({ methods, over }) {
    const series = methods.filter((each) => each.pr).map((each) => ({ ...each, points: each.pr[1].map((recall, at) => ({ x: recall, y: each.pr[0][at] })), best: d3.maxIndex(each.pr[2]) }));
    if (!series.length) return null;
    return ["precision", "Precision and recall", figure({
      name: `Precision over recall of soft maps at 256 thresholds. ${series.map((each) => `${each.title}: largest F ${format(each.pr[2][each.best])}`).join("; ")}.`,
      caption: `Precision over recall of soft maps at the thresholds 0 to 255 of 255; the mark is where F is largest, which the legend states. ${over}.`,
      entries: entriesOf(series, (each) => format(each.pr[2][each.best])),
      kind: "line",
      draw: (width) => lines(width, series, { x: "x", y: "y", xLabel: "recall", yLabel: "precision", marks: [
        ...series.map((each) => Plot.dot([each.points[each.best]], { x: "x", y: "y", r: 5, fill: style(each.at).color, symbol: style(each.at).symbol })),
      ] }),
      table: { head: ["Method", "largest F", "at threshold", "precision", "recall"], rows: series.map((each) => [each.title, each.pr[2][each.best], String(each.best), each.points[each.best].y, each.points[each.best].x]) },
    })];
  }

  /* Every method of the group that was timed, whether it is chosen or not. */
  function speed({ measure, every, over }) {
    const timed = every.filter((each) => each.speed && each.score !== null);
    if (!timed.length) return null;
    const points = timed.map((each) => ({ x: each.speed.fps, y: each.score, label: each.title }));
    const machines = [...new Set(timed.map((each) => `${each.speed.device}, ${each.speed.threads} ${each.speed.threads === 1 ? "thread" : "threads"}, frames of ${each.speed.size}`))];
    return ["speed", "Speed and accuracy", figure({
      name: `${measure.heading} over frames per second. ${timed.map((each) => `${each.title}: ${format(each.score)} at ${format(each.speed.fps, 1)} frames per second`).join("; ")}.`,
      caption: `${measure.heading} over frames per second, from files to maps on disk. ${machines.length > 1 ? "Machines differ, so that speeds are not comparable" : "Measured on one machine"}: ${machines.join("; ")}. ${over}.`,
      draw: (width) => label(plots.plot({
        width,
        height: Math.min(400, Math.max(260, width * 0.5)),
        x: { type: "log", label: "frames per second", grid: true, domain: [d3.min(points, (point) => point.x) / 1.5, d3.max(points, (point) => point.x) * 1.5], tickFormat: (value) => String(value) },
        y: { label: measure.heading, grid: true, nice: true, domain: padded(points) },
        marks: [Plot.dot(points, { x: "x", y: "y", r: 5, fill: "var(--series-1)" })],
      }), points),
      table: { head: ["Method", measure.heading, "frames per second", "seconds per frame (median)", "parameters (millions)", "GMACs", "machine"],
        rows: timed.map((each) => [each.title, each.score, format(each.speed.fps, 2), format(each.speed.latency, 4), each.speed.parameters === null ? null : format(each.speed.parameters / 1e6, 2), each.speed.gmacs === null ? null : format(each.speed.gmacs, 2), each.speed.device]) },
    })];
  }

  const padded = (points) => {
    const [low, high] = d3.extent(points, (point) => point.y);
    const room = Math.max(0.01, (high - low) * 0.12);
    return [low - room, high + room];
  };

  /* All rows of the leaderboard's signature by year, measured and published, and the best until each year. */
  function years({ dataset, group, measure }) {
    const at = VB.measureAt[measure.name];
    if (at === undefined || !measure.better) return null;
    const lower = measure.better === "lower";
    const fit = VB.rows.filter((row) => row.dataset === dataset && row.split === group.split && row.signature === group.signature && row.task === "unsupervised" && row.year && row.values[at] !== null && !row.leftOut);
    const best = new Map(); // a method stands once, measured if it is
    for (const row of fit) if (!best.has(row.method)) best.set(row.method, row);
    const points = [...best.values()].map((row) => ({ x: row.year, y: row.values[at], row, name: row.title, kind: row.kind })).sort((one, other) => one.x - other.x || (lower ? one.y - other.y : other.y - one.y));
    if (new Set(points.map((point) => point.x)).size < 3) return null;
    let top = null;
    for (const point of points) if (top === null || (lower ? point.y < top.y : point.y > top.y)) { top = point; point.label = point.name; }
    const front = points.filter((point) => point.label);
    const last = d3.max(points, (point) => point.x);
    return ["years", "Over the years", figure({
      name: `${measure.heading} of unsupervised methods by year. The best so far: ${front.map((point) => `${point.x} ${point.name} ${format(point.y)}`).join("; ")}.`,
      caption: `${measure.heading} of unsupervised methods by year under this signature; filled: measured here, hollow: published. The line is the best so far.`,
      draw: (width) => label(plots.plot({
        width,
        height: Math.min(420, Math.max(280, width * 0.5)),
        marginRight: 24,
        x: { label: "year", tickFormat: (year) => String(year), ticks: Math.min(d3.max(points, (point) => point.x) - points[0].x, Math.floor(width / 60)), inset: 24 },
        y: { label: measure.heading, grid: true, domain: padded(points) },
        marks: [
          Plot.line([...front, { x: last, y: front.at(-1).y }], { x: "x", y: "y", curve: "step-after", stroke: "var(--series-1)", strokeWidth: 1.5 }),
          Plot.dot(points, { x: "x", y: "y", r: 4, stroke: "var(--series-1)", fill: (point) => (point.kind === "measured" ? "var(--series-1)" : "var(--surface)") }),
          Plot.tip(points, Plot.pointer({ x: "x", y: "y", title: (point) => `${point.name}\n${point.x}, ${point.kind}\n${measure.heading} ${format(point.y)}` })),
        ],
      }), points),
      table: { head: ["Method", "year", measure.heading, "from"], rows: points.map((point) => [point.name, String(point.x), point.y, point.kind === "measured" ? "measured" : point.row.source]) },
    })];
  }

  state.listen(show);
  show();
})();
