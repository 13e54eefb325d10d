/* The page that compares two methods. Words of the state: d dataset, g group of records that can be compared, a and b
   keys of records, x measure, o order of the videos ("difference", "name", "a", "b"). */
"use strict";
(() => {
  const place = document.getElementById("compare");
  if (!place || !VB.rows) return;
  const { el, format, state, stats, plots } = VB;
  const KEYS = place.dataset.datasets.split(" ");
  const ORDERS = ["difference", "name", "a", "b"];
  const VIEWER = document.querySelector('nav a[href$="viewer.html"]') !== null;
  const controls = el("div", { class: "controls" });
  const body = el("div");
  place.append(controls, body);
  let wanted = 0;

  const signed = (number, digits = 3) => (number > 0 && format(number, digits) !== format(0, digits) ? `+${format(number, digits)}` : format(number, digits));
  const ends = ({ low, high }) => (low === null ? "–" : `${signed(low)} to ${signed(high)}`);
  const chance = (p) => (p === null ? "–" : p < 0.001 ? "< 0.001" : format(p));

  async function show() {
    const words = state.get();
    const dataset = KEYS.includes(words.d) ? words.d : KEYS[0];
    wanted += 1;
    const now = wanted;
    let compared;
    try {
      compared = await VB.load(`data/compare/${dataset}.js`);
    } catch (error) {
      body.replaceChildren(el("p", { class: "notice", role: "alert", text: `The data of this dataset are missing: ${error.message}.` }));
      return;
    }
    if (now !== wanted) return;
    const groups = compared.groups.filter((each) => each.rows.length > 1);
    const group = groups.find((each) => each.key === words.g) || groups[0];
    const rows = plots.rowsOf(dataset);
    const measure = group.measures.find((each) => each.name === words.x) || group.measures.find((each) => each.name === "JF_mean") || group.measures[0];
    const board = VB.measureAt[measure.name];
    const score = (key) => (board === undefined ? null : rows[key].values[board]);
    const sign = measure.better === "lower" ? 1 : -1;
    const keys = group.rows.map(([key]) => key).sort((one, other) => (score(one) === null) - (score(other) === null) || sign * (score(one) - score(other)));
    const a = keys.includes(words.a) ? words.a : keys.find((key) => key !== words.b);
    const b = keys.includes(words.b) && words.b !== a ? words.b : keys.find((key) => key !== a);
    const order = ORDERS.includes(words.o) ? words.o : ORDERS[0];
    const context = { dataset, group, rows, measure, a, b, order, one: rows[a], other: rows[b] };
    drawControls({ ...context, groups, keys });
    const pairs = pairsOf(context, measure);
    const known = [summary(context), pairs.length ? videos(context, pairs) : null, pairs.length ? attributes(context, pairs) : null];
    body.replaceChildren(...known.filter(Boolean));
    plots.forget();
  }

  function change(changes) {
    if ("d" in changes) changes = { g: "", a: "", b: "", x: "", ...changes };
    if ("g" in changes) changes = { a: "", b: "", ...changes };
    state.set(changes);
    show();
  }

  function drawControls({ dataset, groups, group, rows, keys, measure, a, b, order }) {
    const names = keys.map((key) => [key, rows[key].title]);
    plots.controls(controls, [el("div", { class: "fields" },
      plots.field("Dataset", dataset, KEYS.map((key) => [key, VB.datasets[key].title]), (d) => change({ d })),
      plots.field("Protocol", group.key, groups.map((each) => [each.key, plots.groupName(each)]), (g) => change({ g })),
      plots.field("Method A", a, names, (key) => change(key === b ? { a: b, b: a } : { a: key, b })),
      plots.field("Method B", b, names, (key) => change(key === a ? { a: b, b: a } : { a, b: key })),
      el("button", { type: "button", class: "swap", text: "Swap A and B", on: { click: () => change({ a: b, b: a }) } }),
      plots.field("Measure", measure.name, group.measures.map((each) => [each.name, each.heading]), (x) => change({ x })),
      plots.field("Videos by", order, [["difference", "difference"], ["name", "name"], ["a", "value of A"], ["b", "value of B"]], (o) => change({ o })))]);
  }

  /* The videos that count and have a value in both. */
  function pairsOf({ group, a, b }, measure) {
    const at = 1 + group.measures.indexOf(measure);
    const [first, second] = [a, b].map((key) => group.rows.find((row) => row[0] === key)[at]);
    return group.videos.map((video, index) => ({ ...video, a: first[index], b: second[index] }))
      .filter((video) => video.a !== null && video.b !== null)
      .map((video) => ({ ...video, difference: video.a - video.b }));
  }
  const compare = (pairs) => stats.compare(pairs.map((each) => each.name), pairs.map((each) => each.a), pairs.map((each) => each.b));

  function words({ better }, found, one, other) {
    if (!better || found.difference === 0) return "";
    const ahead = (found.difference > 0) === (better === "higher") ? one : other;
    if (found.p === null) return `${ahead.title} is ahead.`;
    return found.p < 0.05 ? `${ahead.title} is ahead, more than chance would explain.` : `${ahead.title} is ahead, but not by more than chance may explain.`;
  }

  function summary({ dataset, group, measure, one, other, a, b }) {
    const effects = group.measures.map((each) => [each, pairsOf({ group, a, b }, each)]).filter(([, pairs]) => pairs.length).map(([each, pairs]) => [each, pairs, compare(pairs)]);
    const lead = effects.find(([each]) => each === measure);
    const parts = [];
    if (lead) {
      const [, pairs, found] = lead;
      parts.push(el("p", { class: "verdict", role: "status" }, el("bdi", { text: one.title }), " − ", el("bdi", { text: other.title }), `, ${measure.heading}: `,
        el("strong", { text: signed(found.difference) }), `, 95 % interval ${ends(found)}, p ${found.p !== null && found.p < 0.001 ? "" : "= "}${chance(found.p)}, over ${pairs.length} ${pairs.length === 1 ? "video" : "videos"}. ${words(measure, found, one, other)}`));
    } else {
      parts.push(el("p", { class: "notice", role: "status", text: `These two have no value of ${measure.heading} on the same video.` }));
    }
    for (const row of [one, other]) if (row.leftOut) parts.push(el("p", { class: "notice" }, el("bdi", { text: row.title }), `: ${row.leftOut}.`));
    parts.push(plots.scroll("All measures", plots.table({
      caption: [`${VB.datasets[dataset].title}, ${group.split}, `, el("span", { class: "signature", text: group.signature.replaceAll("|", " | ") })],
      head: ["Measure", "Videos", one.title, other.title, "A − B", "95 % interval", "p"],
      rows: effects.map(([each, pairs, found]) => [
        each.heading + (each.better === "lower" ? " ↓" : ""), String(pairs.length),
        stats.mean(pairs.map((pair) => pair.a)), stats.mean(pairs.map((pair) => pair.b)),
        signed(found.difference), ends(found), chance(found.p),
      ]),
    })));
    parts.push(el("p", { class: "muted", text: "Means are over the videos that both have. Intervals: BCa bootstrap over videos; p: two-sided permutation test; 9999 samples each, seed 0. They are not corrected for the number of comparisons." }));
    return el("section", { "aria-label": "Result" }, parts);
  }

  function videos({ dataset, measure, order, one, other, a, b }, pairs) {
    const by = { difference: (each) => each.difference, name: (each) => each.name, a: (each) => each.a, b: (each) => each.b }[order];
    const rows = [...pairs].sort((first, second) => (by(first) < by(second) ? -1 : by(first) > by(second) ? 1 : 0));
    if (order !== "name") rows.reverse();
    const gain = measure.better === "lower" ? -1 : 1;
    const draw = (width) => plots.plot({
      width,
      height: 76 + 18 * rows.length,
      marginLeft: Math.min(130, 12 + 6.6 * d3.max(rows, (each) => each.name.length)),
      x: { label: `${measure.heading}: A − B`, grid: true, inset: 48 },
      y: { domain: rows.map((each) => each.name), label: null, tickSize: 0 },
      marks: [
        Plot.barX(rows, { x: "difference", y: "name", fill: (each) => (each.difference * gain >= 0 ? "var(--series-1)" : "var(--series-2)"), insetTop: 1, insetBottom: 1 }),
        ...[1, -1].map((side) => Plot.text(rows.filter((each) => (each.difference >= 0) === (side > 0)), { x: "difference", y: "name", text: (each) => signed(each.difference), textAnchor: side > 0 ? "start" : "end", dx: 4 * side })),
        Plot.ruleX([0]),
        Plot.tip(rows, Plot.pointerY({ x: "difference", y: "name", title: (each) => `${each.name}\n${one.title} ${format(each.a)}\n${other.title} ${format(each.b)}` })),
      ],
    });
    const [least, most] = d3.extent(rows, (each) => each.difference);
    const at = (value) => rows.find((each) => each.difference === value).name;
    const links = (each) => [
      each.key ? el("a", { href: `${VB.root}/video/${dataset}/${each.key}.html` }, el("bdi", { text: each.name })) : el("bdi", { text: each.name }),
      VIEWER && each.key ? el("a", { class: "look", href: `${VB.root}/viewer.html#d=${dataset}&v=${each.key}&m=${a},${b}`, "aria-label": `view ${each.name}`, text: "view" }) : null,
    ];
    const head = [["name", "Video"], ["a", one.title], ["b", other.title], ["difference", "A − B"]];
    return el("section", { "aria-labelledby": "videos" }, el("h2", { id: "videos", text: "Videos" }), plots.figure({
      name: `${measure.heading} of ${one.title} minus that of ${other.title} on each of ${rows.length} videos, from ${signed(least)} on ${at(least)} to ${signed(most)} on ${at(most)}.`,
      caption: `${measure.heading} of A (${one.title}) minus that of B (${other.title}) on each video. Blue: A is better, orange: B is better.`,
      draw,
    }), plots.scroll("Values of each video", el("table", {},
      el("thead", {}, el("tr", {}, head.map(([key, text], place) => el("th", { scope: "col", class: place ? "number" : "text", "aria-sort": key === order ? (key === "name" ? "ascending" : "descending") : null, text })),
        el("th", { scope: "col", class: "text", text: "Attributes" }))),
      el("tbody", {}, rows.map((each) => el("tr", {}, el("th", { scope: "row", class: "of-video" }, links(each)), [format(each.a), format(each.b), signed(each.difference)].map((text) => el("td", { class: "number", text })),
        el("td", { class: "muted of-attributes", text: each.attributes.join(", ") })))))));
  }

  function attributes({ measure, one, other }, pairs) {
    const names = [...new Set(pairs.flatMap((each) => each.attributes))].sort();
    if (!names.length) return null;
    const effects = names.map((name) => {
      const having = pairs.filter((each) => each.attributes.includes(name)).map((each) => each.difference);
      const others = pairs.filter((each) => !each.attributes.includes(name)).map((each) => each.difference);
      return { name, count: having.length, difference: stats.mean(having), others: others.length ? stats.mean(others) : null, ...stats.meanInterval(having) };
    }).sort((first, second) => second.difference - first.difference);
    const text = (each) => `${each.name} (${each.count})`;
    const draw = (width) => plots.plot({
      width,
      height: 76 + 22 * effects.length,
      marginLeft: 70,
      marginRight: 24,
      x: { label: `${measure.heading}: A − B`, grid: true, nice: true },
      y: { domain: effects.map(text), label: null, tickSize: 0 },
      marks: [
        Plot.ruleX([0]),
        Plot.ruleY(effects.filter((each) => each.low !== null), { x1: "low", x2: "high", y: text, stroke: "var(--series-1)", strokeWidth: 2 }),
        Plot.dot(effects, { x: "difference", y: text, r: 4.5, fill: "var(--series-1)" }),
        Plot.tip(effects, Plot.pointerY({ x: "difference", y: text, title: (each) => `${text(each)}\n${signed(each.difference)}\n95 % ${ends(each)}` })),
      ],
    });
    return el("section", { "aria-labelledby": "attributes" }, el("h2", { id: "attributes", text: "By attribute" }), plots.figure({
      name: `Mean difference in ${measure.heading} by attribute, from ${effects.at(-1).name} ${signed(effects.at(-1).difference)} to ${effects[0].name} ${signed(effects[0].difference)}.`,
      caption: `Mean of A (${one.title}) minus B (${other.title}) in ${measure.heading} over the videos with each attribute, with its 95 % interval; the number of videos is in brackets.`,
      draw,
      table: { head: ["Attribute", "videos", "A − B", "95 % interval", "other videos"], rows: effects.map((each) => [each.name, String(each.count), signed(each.difference), ends(each), each.others === null ? null : signed(each.others)]) },
    }));
  }

  state.listen(show);
  show();
})();
