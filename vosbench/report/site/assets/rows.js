/* Rows of data/board.js put together again: VB.rows, VB.measures and VB.ranks. Load behind data/board.js. */
"use strict";
(() => {
  const raw = VB.data["data/board.js"];
  if (!raw) return;
  const measures = raw.measures;
  const empty = new Array(measures.length).fill(null);

  /* A row: key, title, kind, method, task, year, venue, trained[], training{text, tags, short}, paper, dataset, split,
     protocol, signature, values[] in the order of VB.measures, lo[], hi[], source, leftOut. */
  VB.rows = raw.rows.map((line) => {
    const [key, title, measured, method, dataset, split, protocol, task, year, venue, training, set, values, ends, source, leftOut] = line;
    const row = {
      key,
      title: title || raw.methods[method].title,
      kind: measured ? "measured" : "published",
      method: raw.methods[method].key,
      paper: raw.methods[method].paper,
      task: raw.tasks[task],
      year,
      venue: raw.venues[venue],
      training: raw.trainings[training],
      trained: raw.trainings[training].tags,
      dataset: raw.datasets[dataset].key,
      split: raw.splits[split],
      protocol: raw.protocols[protocol].name,
      signature: raw.protocols[protocol].signature,
      protocolKey: raw.protocols[protocol].key,
      values: empty.slice(),
      lo: empty.slice(),
      hi: empty.slice(),
      source: raw.sources[source],
      leftOut: leftOut || "",
    };
    raw.sets[set].forEach((at, of) => {
      row.values[at] = values[of];
      if (ends && ends[of]) [row.lo[at], row.hi[at]] = ends[of];
    });
    return row;
  });
  VB.measures = measures;
  VB.measureAt = Object.fromEntries(measures.map((measure, at) => [measure.name, at]));
  VB.datasets = Object.fromEntries(raw.datasets.map((each) => [each.key, { ...each, usual: raw.protocols[each.usual] }]));
  VB.rowUrl = (row) => `${VB.root}/method/${row.method}.html`;

  /* The measure that ranks rows unless another is asked for; its place, or -1. */
  VB.leading = (rows) => {
    const has = (at) => rows.some((row) => row.values[at] !== null);
    for (const name of raw.leading) if (name in VB.measureAt && has(VB.measureAt[name])) return VB.measureAt[name];
    return measures.findIndex((_, at) => has(at));
  };

  /* Row → rank among all rows of its dataset, split, signature and task, by a measure; a method counts once. Rows whose
     signature or task nobody states, and incomplete ones, have none. */
  VB.ranks = (rows, at) => {
    const found = new Map();
    const better = at >= 0 ? measures[at].better : "";
    if (!better) return found;
    const groups = new Map();
    for (const row of rows) {
      if (!row.signature || row.leftOut || row.task === "unknown" || row.values[at] === null) continue;
      const name = [row.dataset, row.split, row.signature, row.task].join("\n");
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(row);
    }
    for (const group of groups.values()) {
      group.sort((one, other) => (better === "lower" ? 1 : -1) * (one.values[at] - other.values[at]));
      const seen = new Map();
      let rank = 0;
      let last = null;
      for (const row of group) {
        if (!seen.has(row.method)) {
          if (row.values[at] !== last) rank = seen.size + 1;
          last = row.values[at];
          seen.set(row.method, rank);
        }
        found.set(row, seen.get(row.method));
      }
    }
    return found;
  };
})();
