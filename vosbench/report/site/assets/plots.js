/* What pages with charts share: figures with names, legends and their numbers as a table; colours; and select fields.
   Load behind vendor/d3.min.js and vendor/plot.umd.min.js. */
"use strict";
(() => {
  const { el, svg, format } = VB;
  const DASHES = ["none", "7 3", "2 2", "9 3 2 3", "4 2", "1 3", "12 3", "5 2 1 2"];
  const MOST = DASHES.length;
  const SYMBOLS = d3.symbolsFill.concat(d3.symbolsStroke.slice(1, 2));

  /* How the series at a place is drawn: colour, dash and symbol differ, so that no one needs colours. */
  const style = (at) => ({ color: `var(--series-${at % MOST + 1})`, dash: DASHES[at % MOST], symbol: SYMBOLS[at % SYMBOLS.length] });

  function legend(entries, kind) {
    return el("ul", { class: "legend" }, entries.map(({ label, at, value }) => {
      const { color, dash, symbol } = style(at);
      const mark = {
        line: () => svg("line", { x1: 1, x2: 27, y1: 7, y2: 7, stroke: color, "stroke-width": 2.5, "stroke-dasharray": dash }),
        dot: () => svg("path", { d: d3.symbol(symbol, 70)(), transform: "translate(14 7)", fill: color }),
        bar: () => svg("rect", { x: 4, y: 2, width: 20, height: 10, fill: color }),
      }[kind]();
      return el("li", {}, svg("svg", { width: 28, height: 14, "aria-hidden": "true" }, mark), el("bdi", { text: label }),
        value === undefined ? null : el("span", { class: "muted", text: value }));
    }));
  }

  /* A table of numbers: {head, rows, caption}; the first cell of a row names it. */
  function table({ head, rows, caption }) {
    const text = (value) => (typeof value === "number" ? format(value) : value ?? "–");
    const line = ([name, ...values]) => el("tr", {},
      el("th", { scope: "row" }, el("bdi", { text: name })),
      values.map((value) => el("td", { class: "number", text: text(value) })));
    return el("table", {},
      caption ? el("caption", {}, caption) : null,
      el("thead", {}, el("tr", {}, head.map((name, at) => el("th", { scope: "col", class: at ? "number" : "text", text: name })))),
      el("tbody", {}, rows.map(line)));
  }
  const scroll = (label, content) => el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, content);
  const numbers = (of) => el("details", { class: "numbers" },
    el("summary", { text: "The numbers" }), scroll("The numbers of this chart", table(of)));

  /* Plot.plot with room for letters that can be read. */
  const plot = ({ x, y, ...options }) => Plot.plot({
    marginLeft: 48, marginTop: 30, marginBottom: 44, ...options, x: { labelOffset: 38, ...x }, y: { labelOffset: 42, ...y },
  });

  /* A figure: {name, caption, draw(width), entries, kind, table}. ``draw`` gives what `plot` gives; it is called again
     if the width changes. ``name`` says in words what is seen; without a table, one has to follow the figure. */
  const drawn = new Map();
  const seen = new ResizeObserver((changes) => {
    for (const change of changes) requestAnimationFrame(() => draw(change.target));
  });
  function draw(place) {
    const of = drawn.get(place);
    const width = Math.floor(place.clientWidth);
    if (!of || !width || of.width === width) return;
    of.width = width;
    const plot = of.draw(width);
    plot.setAttribute("role", "img");
    plot.setAttribute("aria-label", of.name);
    for (const part of plot.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label"); // parts have no role
    place.replaceChildren(plot);
  }
  function figure(of) {
    const place = el("div", { class: "plot" });
    drawn.set(place, { ...of, width: 0 });
    seen.observe(place);
    return el("figure", { class: "chart" }, of.entries && of.entries.length ? legend(of.entries, of.kind) : null, place,
      el("figcaption", { text: of.caption }), of.table ? numbers(of.table) : null);
  }
  /* Forget figures that are no longer on the page. */
  function forget() {
    for (const place of drawn.keys()) {
      if (place.isConnected) continue;
      seen.unobserve(place);
      drawn.delete(place);
    }
  }

  /* Names next to points where they cover least, the last point first; one that would cover another is left out. */
  function label(plot, points) {
    const [x, y] = [plot.scale("x"), plot.scale("y")];
    const [first, last] = x.range;
    const dots = points.map((point) => box(x.apply(point.x) - 6, y.apply(point.y) - 6, 12, 12));
    const names = [];
    const layer = svg("g", { class: "names" });
    const over = (own, others) => others.reduce((sum, each) => sum + covered(own, each), 0);
    for (const point of points.filter((each) => each.label).reverse()) {
      const [left, top, long] = [x.apply(point.x), y.apply(point.y), 6.6 * point.label.length];
      const places = [[left - long / 2, top - 22], [left - 6 - long, top - 20], [left + 6, top - 20], [left + 9, top - 7],
        [left - 9 - long, top - 7], [left - long / 2, top + 8], [left + 6, top + 6], [left - 6 - long, top + 6]]
        .map(([at, from]) => box(at, from, long, 14));
      const costs = places.map((own) => 2 * over(own, dots) + 9 * over(own, names) + 40 * (Math.max(0, first - 12 - own.left) + Math.max(0, own.right - last - 20)));
      const own = places[costs.indexOf(Math.min(...costs))];
      if (over(own, names) > 15 || over(own, dots) > 30) continue;
      names.push(own);
      layer.append(svg("text", { x: own.left, y: own.top + 11, text: point.label }));
    }
    plot.append(layer);
    return plot;
  }
  const box = (left, top, width, height) => ({ left, top, right: left + width, bottom: top + height });
  const covered = (one, other) => Math.max(0, Math.min(one.right, other.right) - Math.max(one.left, other.left))
    * Math.max(0, Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top));

  /* A select field with a label; options are [value, text]. */
  function field(label, value, options, run) {
    const select = el("select", { on: { change: () => run(select.value) } },
      options.map(([key, text]) => el("option", { value: key, text, selected: key === value })));
    return el("label", { class: "field" }, el("span", { text: label }), select);
  }

  /* Replace controls, and give the focus back to the field that had it. */
  function controls(place, fields) {
    const all = () => [...place.querySelectorAll("select, input, button, summary")];
    const active = all().indexOf(document.activeElement);
    const open = place.querySelector("details[open]") !== null;
    place.replaceChildren(...fields);
    const details = place.querySelector("details");
    if (details) details.open = open;
    if (active >= 0 && all()[active]) all()[active].focus();
  }

  const headings = (group) => Object.fromEntries(group.measures.map((each) => [each.name, each.heading]));
  /* Records as menus name them: rows of VB.rows by dataset and key. */
  const rowsOf = (dataset) => Object.fromEntries(VB.rows.filter((row) => row.dataset === dataset && row.kind === "measured").map((row) => [row.key, row]));
  const groupName = (group) => `${group.signature.replaceAll("|", " | ")}${group.over === "all videos" ? "" : `, over ${group.over}`} (${group.rows.length})`;

  VB.plots = { MOST, style, plot, figure, table, scroll, forget, label, field, controls, headings, rowsOf, groupName };
})();
