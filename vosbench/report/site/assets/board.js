/* The leaderboard: the rows of one dataset, or methods by datasets. Its whole state is in the address.

   Words of the state: d dataset ("*" is all), p protocol ("*" is any, "-" not stated), t task, k kind, y and z first
   and last year, tr trained on ("-" not stated), q search, s column that sorts ("-" before it reverses), c columns,
   i intervals, all every row. */
"use strict";
(() => {
  const place = document.getElementById("board");
  if (!place || !VB.rows) return;
  const { el, svg, format, state, root, measures, datasets } = VB;
  const FIRST = 100;
  const MAIN = 5;
  const KEYS = Object.keys(datasets);
  const ARROWS = { higher: "↑", lower: "↓" };
  const BESIDES = {
    task: { label: "Task", value: (row) => row.task },
    year: { label: "Year", value: (row) => row.year },
    trained: { label: "Trained on", value: (row) => row.training.short },
    split: { label: "Split", value: (row) => row.split },
    protocol: { label: "Protocol signature", value: (row) => row.signature || "not stated" },
  };
  const DEFAULT = { d: KEYS[0] || "*", p: "", t: "", k: "", y: "", z: "", tr: "", q: "", s: "", c: "", i: "", all: "" };
  let S = { ...DEFAULT };
  let cursor = [0, 0];
  let domain = [0, 1];

  function readState() {
    const found = state.get();
    S = { ...DEFAULT };
    for (const key of Object.keys(DEFAULT)) if (key in found) S[key] = found[key];
    if (S.d !== "*" && !(S.d in datasets)) S.d = DEFAULT.d;
    const own = S.d === "*" ? VB.rows : VB.rows.filter((row) => row.dataset === S.d);
    const years = own.filter((row) => row.year !== null).map((row) => String(row.year));
    const known = { // a word that fits no row, as of a link to an older site, is not heeded
      p: ["*", ...own.map((row) => row.protocolKey || "-")],
      k: ["measured", "published"],
      t: own.map((row) => row.task),
      tr: ["-", ...own.flatMap((row) => row.trained)],
      y: years,
      z: years,
    };
    for (const [key, values] of Object.entries(known)) if (!values.includes(S[key])) S[key] = "";
  }

  function change(changes) {
    S = { ...S, all: "", ...changes };
    if ("d" in changes) S = { ...S, p: "", s: "", c: "" };
    state.set(Object.fromEntries(Object.keys(DEFAULT).map((key) => [key, S[key] === DEFAULT[key] ? "" : S[key]])));
    cursor = [0, 0];
    draw();
  }

  /* ---- rows ---- */
  const matrix = () => S.d === "*";
  const protocolKey = () => S.p || datasets[S.d].usual.key || "-";
  function rowsOfBoard() {
    if (matrix()) return VB.rows.filter((row) => row.protocolKey === datasets[row.dataset].usual.key && row.split === datasets[row.dataset].split);
    const key = protocolKey();
    const own = VB.rows.filter((row) => row.dataset === S.d);
    return key === "*" ? own : own.filter((row) => row.protocolKey === (key === "-" ? "" : key));
  }
  function filtered(rows) {
    const words = S.q.toLowerCase().split(/\s+/).filter(Boolean);
    return rows.filter((row) => (!S.t || row.task === S.t) && (!S.k || row.kind === S.k)
      && (!S.y || (row.year !== null && row.year >= Number(S.y))) && (!S.z || (row.year !== null && row.year <= Number(S.z)))
      && (!S.tr || (S.tr === "-" ? !row.trained.length : row.trained.includes(S.tr)))
      && words.every((word) => `${row.title} ${row.venue} ${row.source}`.toLowerCase().includes(word)));
  }

  /* ---- columns ---- */
  function columnsOf(rows) {
    if (matrix()) {
      return KEYS.map((key) => {
        const own = rows.filter((row) => row.dataset === key);
        const at = VB.leading(own);
        const of = datasets[key];
        return at < 0 ? null : { key: `d:${key}`, label: of.title, more: measures[at].heading, at, better: measures[at].better, dataset: key };
      }).filter(Boolean);
    }
    const lead = VB.leading(rows);
    const order = measures.map((_, at) => at).filter((at) => rows.some((row) => row.values[at] !== null));
    if (lead >= 0) order.unshift(...order.splice(order.indexOf(lead), 1));
    const numbers = order.map((at) => ({ key: measures[at].name, label: measures[at].heading, at, better: measures[at].better }));
    const range = lead < 0 ? [] : [{ key: "range", label: `${measures[lead].heading}, 95 %`, range: lead, value: (row) => row.values[lead] }];
    return [...numbers.slice(0, 1), ...range, ...numbers.slice(1), ...Object.entries(BESIDES).map(([key, column]) => ({ key, ...column }))];
  }
  function isShown(column, columns) {
    if (matrix()) return true;
    if (column.key === "protocol" && protocolKey() === "*") return true;
    if (S.c) return S.c.split(",").includes(column.key);
    const main = columns.filter((each) => each.at !== undefined && measures[each.at].main).slice(0, MAIN);
    return ["range", "task", "year"].includes(column.key) || main.includes(column);
  }

  /* ---- lines: a row each, or a method each ---- */
  function linesOf(rows, columns) {
    if (!matrix()) return rows.map((row) => ({ row, title: row.title, at: (column) => (column.value ? column.value(row) : row.values[column.at]), of: () => row }));
    const byMethod = new Map();
    for (const row of rows) {
      if (!byMethod.has(row.method)) byMethod.set(row.method, {});
      const own = byMethod.get(row.method);
      if (!(row.dataset in own)) own[row.dataset] = row;
    }
    return [...byMethod.values()].map((own) => {
      const row = Object.values(own)[0];
      const of = (column) => own[column.dataset] || null;
      return { row, title: row.title, of, at: (column) => (of(column) ? of(column).values[column.at] : null) };
    });
  }
  function sorting(columns) {
    const reversed = S.s.startsWith("-");
    const asked = reversed ? S.s.slice(1) : S.s;
    const column = asked === "method" ? { key: "method", value: true } : columns.find((each) => each.key === asked);
    return column ? { column, reversed } : { column: columns.find((each) => each.at !== undefined) || { key: "method", value: true }, reversed: false };
  }
  function sorted(lines, { column, reversed }) {
    const ascending = (column.at === undefined || column.better === "lower") !== reversed;
    const keyed = lines.map((line) => [column.key === "method" ? line.title.toLowerCase() : line.at(column), line]);
    const none = (value) => value === null || value === undefined || value === "";
    keyed.sort(([one, first], [other, second]) => {
      const missing = none(one) - none(other);
      if (missing) return missing; // unknown is last both ways
      let order = none(one) ? 0 : one < other ? -1 : one > other ? 1 : 0;
      if (!ascending) order = -order;
      return order || (first.title < second.title ? -1 : first.title > second.title ? 1 : 0);
    });
    return keyed.map(([, line]) => line);
  }

  /* ---- drawing ---- */
  const controls = el("div", { class: "controls" });
  const status = el("p", { class: "status", role: "status" });
  const about = el("p", { class: "board-head", id: "board-head" });
  const table = el("table", { class: "board", "aria-labelledby": "board-head" });
  const scroll = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Leaderboard" }, table);
  const more = el("div", { class: "more" });
  const tip = el("div", { class: "tip", role: "tooltip", id: "tip", hidden: true });
  place.append(controls, about, status, scroll, more, tip);

  function select(key, label, options) {
    const field = el("select", { on: { change: () => change({ [key]: field.value }) } },
      options.map(([value, text]) => el("option", { value, text, selected: value === S[key] || (key === "p" && S.d !== "*" && value === protocolKey()) })));
    return el("label", { class: "field" }, el("span", { text: label }), field);
  }
  const plain = (values) => [...new Set(values)].sort();

  function drawControls(board, columns) {
    const own = matrix() ? VB.rows : VB.rows.filter((row) => row.dataset === S.d);
    const years = plain(own.map((row) => row.year).filter((year) => year !== null)).map((year) => [String(year), String(year)]);
    const protocols = new Map(own.map((row) => [row.protocolKey || "-", row.signature || "protocol not stated"]));
    const search = el("input", { type: "search", value: S.q, placeholder: "Name, venue or source", on: { input: () => { clearTimeout(search.wait); search.wait = setTimeout(() => { change({ q: search.value }); }, 120); } } });
    const active = document.activeElement && controls.contains(document.activeElement) ? document.activeElement.id : "";
    const fields = [
      select("d", "Dataset", [...KEYS.map((key) => [key, datasets[key].title]), ["*", "All datasets, one measure each"]]),
      matrix() ? null : select("p", "Protocol", [...[...protocols].map(([key, text]) => [key, text]), ["*", "Any protocol"]]),
      select("k", "Numbers", [["", "Measured and published"], ["measured", "Measured"], ["published", "Published"]]),
      select("t", "Task", [["", "Any task"], ...plain(own.map((row) => row.task)).map((task) => [task, task === "unknown" ? "not stated" : task])]),
      select("tr", "Trained on", [["", "Anything"], ["-", "Not stated"], ...plain(own.flatMap((row) => row.trained)).map((tag) => [tag, tag])]),
      select("y", "From year", [["", "any"], ...years]),
      select("z", "To year", [["", "any"], ...years]),
      el("label", { class: "field grow" }, el("span", { text: "Search" }), search),
    ].filter(Boolean);
    for (const field of fields.slice(-3, -1)) field.classList.add("short");
    fields.forEach((field, at) => { const input = field.querySelector("select, input"); input.id = `field-${matrix() && at > 0 ? at + 1 : at}`; });
    const chooser = matrix() ? null : el("details", { class: "chooser" }, el("summary", { text: "Columns" }),
      el("fieldset", {}, el("legend", { class: "hidden", text: "Columns" }), columns.map((column) => {
        const box = el("input", { type: "checkbox", checked: isShown(column, columns), on: { change: () => {
          const names = columns.filter((each) => (each === column ? box.checked : isShown(each, columns))).map((each) => each.key);
          change({ c: names.join(",") || "none" });
        } } });
        return el("label", {}, box, ` ${column.label}`);
      })));
    const intervals = el("label", { class: "check" }, el("input", { id: "intervals", type: "checkbox", checked: S.i === "1", on: { change: (event) => change({ i: event.target.checked ? "1" : "" }) } }), " 95 % intervals");
    const reset = el("button", { type: "button", class: "quiet", text: "Reset", on: { click: () => { S = { ...DEFAULT }; change({}); } } });
    const open = controls.querySelector(".chooser[open]") !== null;
    controls.replaceChildren(el("div", { class: "fields" }, fields), el("div", { class: "extras" }, chooser, intervals, reset));
    if (open && chooser) chooser.open = true;
    const again = active && document.getElementById(active);
    if (again) { again.focus(); if (again.type === "search") again.setSelectionRange(again.value.length, again.value.length); }
  }

  function drawHead(shown, order) {
    const head = (column, label, props = {}) => {
      const now = order.column.key === column.key;
      const ascending = (column.at === undefined || column.better === "lower") !== order.reversed;
      return el("th", { scope: "col", class: column.at === undefined ? column.key : "number", "aria-sort": now ? (ascending ? "ascending" : "descending") : null, ...props },
        el("button", { type: "button", "data-sort": column.key, on: { click: () => { change({ s: now && !order.reversed ? `-${column.key}` : column.key, all: S.all }); table.querySelector(`[data-sort="${CSS.escape(column.key)}"]`).focus(); } } },
          el("span", { text: label }), column.better ? el("span", { class: "way", text: ` ${ARROWS[column.better]}`, title: `${column.better} is better` }) : null,
          column.more ? el("small", { text: column.more }) : null));
    };
    return el("thead", {}, el("tr", {}, matrix() ? null : el("th", { scope: "col", class: "number rank", text: "#" }), head({ key: "method" }, "Method"), shown.map((column) => head(column, column.label))));
  }

  /* The axis of the intervals: tenths, 0.2 long or more. */
  function domainOf(rows, columns) {
    const of = columns.find((column) => column.key === "range");
    const ends = of ? rows.flatMap((row) => [row.values[of.range], row.lo[of.range], row.hi[of.range]]).filter((value) => value !== null) : [];
    if (!ends.length) return [0, 1];
    const low = Math.floor(ends.reduce((one, other) => Math.min(one, other)) * 10) / 10;
    return [low, Math.max(Math.ceil(ends.reduce((one, other) => Math.max(one, other)) * 10) / 10, low + 0.2)];
  }
  function drawRange(row, at) {
    if (row.values[at] === null) return null;
    const x = (value) => (6 + (value - domain[0]) / (domain[1] - domain[0]) * 108).toFixed(1);
    return svg("svg", { class: `range ${row.kind}`, viewBox: "0 0 120 14", width: 120, height: 14, "aria-hidden": "true" },
      svg("line", { class: "rail", x1: 6, x2: 114, y1: 7, y2: 7 }),
      row.lo[at] === null ? null : svg("line", { class: "ends", x1: x(row.lo[at]), x2: x(row.hi[at]), y1: 7, y2: 7 }),
      svg("circle", { cx: x(row.values[at]), cy: 7, r: 3.5 }));
  }

  function drawCell(column, line, best) {
    const row = line.of(column);
    const value = row === null ? null : line.at(column);
    if (column.range !== undefined) {
      const cell = el("td", { class: "drawn" }, drawRange(row, column.range));
      if (row.values[column.range] !== null) cell.told = { row, at: column.range };
      return cell;
    }
    if (column.at === undefined) {
      return el("td", { class: column.key, text: value === null || value === "" || value === "unknown" ? "–" : String(value) });
    }
    const cell = el("td", { class: `number${row && row.kind === "published" ? " printed" : ""}`, text: format(value) });
    if (row === null || value === null) {
      cell.classList.add("none");
      return cell;
    }
    const mark = best.get(column.key) && best.get(column.key).get(row);
    if (mark && mark <= 2) cell.classList.add(mark === 1 ? "best" : "second");
    if (row.lo[column.at] !== null && S.i === "1") cell.append(el("small", { class: "ends", text: `${format(row.lo[column.at])} – ${format(row.hi[column.at])}` }));
    cell.told = { row, at: column.at };
    return cell;
  }

  function drawLine(line, shown, best, rank) {
    const { row } = line;
    const remarks = [row.kind === "published" ? row.source : "", row.training.short ? `trained on ${row.training.short}` : "", row.leftOut ? `not ranked: ${row.leftOut}` : ""].filter(Boolean).join(" · ");
    return el("tr", { class: matrix() ? null : row.kind },
      matrix() ? null : el("td", { class: "number rank", text: rank.has(row) ? String(rank.get(row)) : "–", title: rank.has(row) ? null : "not ranked: protocol or task not stated, or incomplete" }),
      el("th", { scope: "row" }, el("a", { href: VB.rowUrl(row) }, el("bdi", { text: line.title })), row.venue && !matrix() ? el("span", { class: "venue", text: ` ${row.venue}` }) : null,
        matrix() ? null : el("small", {}, el("span", { class: `kind ${row.kind}`, text: row.kind }), remarks ? ` ${remarks}` : null)),
      shown.map((column) => drawCell(column, line, best)));
  }

  function draw() {
    hideTip();
    const board = rowsOfBoard();
    const rows = filtered(board);
    const columns = columnsOf(board);
    const shown = columns.filter((column) => isShown(column, columns));
    const order = sorting(columns);
    const lines = sorted(linesOf(rows, columns), order);
    const best = new Map(shown.filter((column) => column.at !== undefined).map((column) => [column.key, VB.ranks(column.dataset ? board.filter((row) => row.dataset === column.dataset) : board, column.at)]));
    const by = order.column.at !== undefined ? order.column : columns.find((column) => column.at !== undefined);
    const rank = by && !matrix() ? best.get(by.key) || VB.ranks(board, by.at) : new Map();
    drawControls(board, columns);
    const first = S.all ? lines : lines.slice(0, FIRST);
    const signature = matrix() ? "each dataset under its usual protocol" : protocolKey() === "*" ? "several protocols: ranked within each" : protocolKey() === "-" ? "protocol not stated: not ranked" : (board[0] || datasets[S.d].usual).signature;
    about.replaceChildren(el("strong", {}, matrix() ? "All datasets" : el("a", { href: `${root}/dataset/${S.d}.html`, text: datasets[S.d].title })), " ", el("code", { class: "signature", text: signature }));
    domain = domainOf(rows, columns);
    table.replaceChildren(drawHead(shown, order), el("tbody", {}, first.map((line) => drawLine(line, shown, best, rank))));
    status.textContent = `${lines.length} of ${linesOf(board, columns).length} ${matrix() ? "methods" : "rows"}${by && !matrix() ? `, ranked by ${by.label} within signature and task` : ""}`;
    more.replaceChildren(
      ...(lines.length > first.length ? [el("button", { type: "button", text: `Show all ${lines.length}`, on: { click: () => change({ all: "1" }) } })] : []),
      ...(matrix() ? [el("details", { class: "under-board" }, el("summary", { text: "Splits and protocols of the columns" }),
        el("ul", {}, columns.map((column) => el("li", {}, `${column.label} ${datasets[column.dataset].split}, ${column.more}: `, el("code", { class: "signature", text: datasets[column.dataset].usual.signature || "not stated" })))))] : []));
    focusCell(cursor[0], cursor[1], false);
  }

  /* ---- intervals: by pointer, and by arrow keys from cell to cell ---- */
  function told(cell) {
    const { row, at } = cell.told;
    const lines = [`${measures[at].heading} ${format(row.values[at], 4)}`];
    if (row.lo[at] !== null) lines.push(`95 %: ${format(row.lo[at])} to ${format(row.hi[at])}, over videos`);
    lines.push(row.kind === "published" ? `published: ${row.source}` : "measured", row.signature || "protocol not stated");
    return lines;
  }
  function showTip(cell) {
    if (!cell || !cell.told) return hideTip();
    tip.replaceChildren(...told(cell).map((text) => el("div", { text })));
    tip.hidden = false;
    cell.setAttribute("aria-describedby", "tip");
    const box = cell.getBoundingClientRect();
    const own = tip.getBoundingClientRect();
    const left = Math.min(Math.max(8, box.right - own.width), innerWidth - own.width - 8);
    const above = box.top > own.height + 12;
    tip.style.left = `${left + scrollX}px`;
    tip.style.top = `${(above ? box.top - own.height - 6 : box.bottom + 6) + scrollY}px`;
    return undefined;
  }
  function hideTip() {
    tip.hidden = true;
    for (const cell of table.querySelectorAll("[aria-describedby=tip]")) cell.removeAttribute("aria-describedby");
  }
  function focusCell(line, column, take = true) {
    const lines = table.tBodies[0] ? table.tBodies[0].rows : [];
    if (!lines.length) return;
    const at = Math.max(0, Math.min(line, lines.length - 1));
    const cells = [...lines[at].cells].filter((cell) => cell.told || (cell.classList.contains("number") && !cell.classList.contains("rank")));
    if (!cells.length) return;
    const of = Math.max(0, Math.min(column, cells.length - 1));
    for (const old of table.querySelectorAll("td[tabindex]")) old.removeAttribute("tabindex");
    cells[of].setAttribute("tabindex", "0");
    cursor = [at, of];
    if (take) cells[of].focus();
  }
  table.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.tagName !== "TD") return;
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -99], End: [0, 99] };
    if (event.key === "Escape") hideTip();
    if (!(event.key in steps)) return;
    event.preventDefault();
    focusCell(cursor[0] + steps[event.key][0], cursor[1] + steps[event.key][1]);
  });
  table.addEventListener("focusin", (event) => showTip(event.target));
  table.addEventListener("focusout", hideTip);
  table.addEventListener("pointerover", (event) => { const cell = event.target.closest("td"); if (cell && cell.told) showTip(cell); else if (document.activeElement.tagName !== "TD") hideTip(); });
  table.addEventListener("pointerleave", hideTip);
  addEventListener("scroll", hideTip, { passive: true });
  addEventListener("beforeprint", () => { if (!S.all) { S.all = "1"; draw(); } });
  state.listen(() => { readState(); draw(); });

  readState();
  draw();
})();
