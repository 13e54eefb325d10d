/* The viewer: frames of a video with the masks of up to four methods and the annotation.

   What is shown is in the address: d dataset, v video, f frame, m methods, h hidden ones, b blended, e error map,
   a=0 without the annotation, c=0 without contours, o opacity in percent. Whatever does not fit is ignored. */
"use strict";
(() => {
  const { VB } = window;
  const { el, runs } = VB;
  const MOST = 4;
  const AHEAD = 3;
  const KEPT = 24; // pictures
  const ANNOTATION = "annotation";
  const COLOURS = [[255, 61, 139], [255, 212, 0], [54, 197, 255], [186, 140, 255]];
  const WHITE = [255, 255, 255];
  const BLACK = [0, 0, 0]; // contours of predictions in error maps of one method
  const ERRORS = { right: [0, 190, 130], excess: [235, 90, 0], missed: [86, 180, 233] };
  const NAMES = { right: "right", excess: "too much", missed: "missed" };
  const $ = (id) => document.getElementById(id);

  const now = { dataset: null, video: null, frame: 0, chosen: [], hidden: new Set(), playing: false };
  const options = { blend: false, errors: false, annotation: true, contours: true, opacity: 0.5 };
  let index = { datasets: [] };
  let values = { J: {}, F: {} }; // of the record, by method
  let masks = new Map(); // of the video, by method
  let pictures = new Map();
  let opening = 0; // counts videos that were opened, so that what arrives late is dropped
  let seeking = 0;
  let counted = new Map();
  let jump = { kind: "", at: -1 };

  const stage = VB.makeStage($("stage"), { moved: (frames) => seek(now.frame + frames) });
  const scrubber = VB.makeScrubber($("scrubber"), { moved: seek });

  /* --- What is chosen ------------------------------------------------------------------------------------------- */

  const methodOf = (key) => now.dataset.methods.find((each) => each.key === key);
  const visible = () => now.chosen.filter((key) => !now.hidden.has(key));
  const bitOf = (key) => (key === ANNOTATION ? 1 : 2 << now.chosen.indexOf(key));
  const markOf = (key) => (key === ANNOTATION ? "gt" : `m${now.chosen.indexOf(key) + 1}`);
  const colourOf = (key) => (key === ANNOTATION ? WHITE : COLOURS[now.chosen.indexOf(key)]);
  const whole = (text, low, high) => (/^\d{1,9}$/.test(text || "") ? Math.min(high, Math.max(low, Number(text))) : low);

  function read(words) {
    options.blend = words.b === "1";
    options.errors = words.e === "1";
    options.annotation = words.a !== "0";
    options.contours = words.c !== "0";
    options.opacity = "o" in words ? whole(words.o, 0, 100) / 100 : 0.5;
    const dataset = index.datasets.find((each) => each.key === words.d) || index.datasets[0];
    const video = dataset.videos.find((each) => each.key === words.v) || dataset.videos[0];
    if (words.d && words.d !== dataset.key) say(`There are no pictures of ${words.d}; this is ${dataset.title}`);
    else if (words.v && words.v !== video.key) say(`There is no video ${words.v}; this is ${video.name}`);
    const known = (text) => (text || "").split(",").filter((key) => dataset.methods.some((each) => each.key === key));
    const asked = [...new Set(known(words.m))].slice(0, MOST);
    const place = dataset.videos.indexOf(video);
    const usual = dataset.methods.filter((each) => each.masks.includes(place)).slice(0, 2).map((each) => each.key);
    now.chosen = asked.length || "m" in words ? asked : usual;
    now.hidden = new Set(known(words.h).filter((key) => now.chosen.includes(key)));
    return open(dataset, video, whole(words.f, 0, video.frames - 1));
  }

  function write() {
    VB.state.set({
      d: now.dataset.key, v: now.video.key, f: now.frame, m: now.chosen.join(",") || "-",
      h: [...now.hidden].join(","), b: options.blend ? 1 : "", e: options.errors ? 1 : "",
      a: options.annotation ? "" : 0, c: options.contours ? "" : 0,
      o: options.opacity === 0.5 ? "" : Math.round(options.opacity * 100),
    });
  }

  /* --- Loading ---------------------------------------------------------------------------------------------------- */

  async function open(dataset, video, frame) {
    opening += 1;
    const turn = opening;
    play(false);
    const other = now.video !== video;
    now.dataset = dataset;
    now.video = video;
    now.frame = frame;
    if (other) {
      masks = new Map();
      pictures = new Map();
      counted = new Map();
      values = { J: {}, F: {} };
      jump = { kind: "", at: -1 };
      stage.picture = null;
      stage.reset();
    }
    fillChoices();
    const own = dataset.numbers ? VB.load(`data/${dataset.key}/${video.key}.js`).catch(() => null) : null;
    await Promise.all([ANNOTATION, ...now.chosen].map((key) => loadMasks(dataset, video, key)));
    const delivered = await own;
    if (turn !== opening) return;
    if (delivered) values = { J: delivered.J || {}, F: delivered.F || {} };
    arrange();
    await seek(now.frame);
  }

  async function loadMasks(dataset, video, key) {
    const places = key === ANNOTATION ? dataset.annotation : dataset.methods.find((each) => each.key === key).masks;
    if (!places.includes(dataset.videos.indexOf(video)) || masks.has(key)) return;
    const target = masks;
    try {
      const found = await runs.inflate(await VB.load(`masks/${dataset.key}/${video.key}/${key}.js`));
      target.set(key, found);
    } catch (error) {
      target.set(key, null);
      say(`The masks of ${key === ANNOTATION ? key : methodOf(key).title} cannot be shown: ${error.message}`);
    }
  }

  /* The picture of a frame, decoded; null if the site has none, or it cannot be loaded. */
  function picture(frame) {
    if (!now.dataset.frames || frame < 0 || frame >= now.video.frames) return Promise.resolve(null);
    if (!pictures.has(frame)) {
      const image = new Image();
      image.src = `${VB.root}/media/${now.dataset.key}/${now.video.key}/${String(frame).padStart(5, "0")}.jpg`;
      pictures.set(frame, image.decode().then(() => image, () => null));
      if (pictures.size > KEPT) pictures.delete(pictures.keys().next().value);
    }
    return pictures.get(frame);
  }

  /* --- Numbers ---------------------------------------------------------------------------------------------------- */

  const count = (key, frame) => runs.counts(masks.get(ANNOTATION), masks.get(key), frame);

  /* J of each frame as the record has it; without values of frames, as it is counted here. */
  function curve(key) {
    if (values.J[key]) return values.J[key];
    if (!counted.has(key)) {
      const all = Array.from({ length: now.video.frames }, (_, frame) => count(key, frame));
      if (masks.has(key)) counted.set(key, all.map((each) => (each ? each.J : null)));
      else return all;
    }
    return counted.get(key);
  }

  const valueAt = (measure, key, frame) => {
    const value = (values[measure][key] || [])[frame];
    return value === undefined ? null : value;
  };
  const isAnnotated = (frame) => !masks.get(ANNOTATION) || runs.has(masks.get(ANNOTATION), frame);
  const isAbsent = (key, frame) => Boolean(masks.get(key)) && !runs.has(masks.get(key), frame);
  const annotatedFrames = () => Array.from({ length: now.video.frames }, (_, frame) => frame).filter(isAnnotated);

  /* Frames from the most to the least remarkable, none too near to another one. */
  function ranked(score) {
    const near = Math.max(2, Math.round(now.video.frames / 20));
    const found = annotatedFrames().map((frame) => [score(frame), frame]).filter(([value]) => value !== null);
    const chosen = [];
    for (const [, frame] of found.sort((one, other) => other[0] - one[0] || one[1] - other[1])) {
      if (chosen.every((each) => Math.abs(each - frame) > near)) chosen.push(frame);
    }
    return chosen;
  }

  function jumpTo(kind, score, text) {
    const frames = ranked(score);
    if (!frames.length) return say(kind === "worst" ? "J of no method is known here" : "Disagreement needs J of two methods that are shown");
    const again = jump.kind === kind && frames[jump.at] === now.frame;
    jump = { kind, at: again ? (jump.at + 1) % frames.length : 0 };
    seek(frames[jump.at]);
    return say(text(frames[jump.at], jump.at + 1, frames.length));
  }

  function worst() {
    const key = visible().find((each) => curve(each).some((value) => value !== null));
    const known = (frame) => { const value = key ? curve(key)[frame] : null; return value === null || value === undefined ? null : -value; };
    jumpTo("worst", known, (frame, at, of) => `${methodOf(key).title}: J ${VB.format(-known(frame))} at frame ${frame}, number ${at} of ${of} from the worst`);
  }

  function disagree() {
    const keys = visible();
    const gap = (frame) => {
      const all = keys.map((key) => curve(key)[frame]).filter((value) => value !== null && value !== undefined);
      return all.length > 1 ? Math.max(...all) - Math.min(...all) : null;
    };
    jumpTo("disagree", gap, (frame, at, of) => `J of the methods differs by ${VB.format(gap(frame))} at frame ${frame}, number ${at} of ${of}`);
  }

  /* --- Pictures --------------------------------------------------------------------------------------------------- */

  const BLENDED = "blended";

  function arrange() {
    const { size } = now.video;
    const first = masks.get(ANNOTATION) || [...masks.values()].find(Boolean);
    stage.resize(...(first ? [first.width, first.height] : size ? [size[1], size[0]] : [854, 480]));
    const shown = visible();
    if (options.blend || !shown.length) {
      stage.layOut([{ name: BLENDED, title: options.blend && shown.length ? "Blended" : now.video.name, mark: "none" }]);
    } else {
      stage.layOut([
        ...(options.annotation && masks.get(ANNOTATION) ? [{ name: ANNOTATION, title: "Annotation", mark: "gt" }] : []),
        ...shown.map((key) => ({ name: key, title: methodOf(key).title, mark: markOf(key) })),
      ]);
    }
    scrubber.draw(now.video.frames, annotatedFrames(), shown.map((key) => ({
      mark: markOf(key),
      values: curve(key),
      absent: annotatedFrames().filter((frame) => isAbsent(key, frame)),
    })));
    legend();
  }

  const layer = (key, filled = true) => ({ bit: bitOf(key), colour: colourOf(key), filled, lined: options.contours || !filled });

  function tables() {
    const shown = visible();
    const truth = masks.get(ANNOTATION) && runs.has(masks.get(ANNOTATION), now.frame);
    const there = shown.filter((key) => masks.get(key) && !isAbsent(key, now.frame));
    const outlineOfTruth = options.annotation && truth ? [layer(ANNOTATION, false)] : [];
    const found = { [ANNOTATION]: runs.overlay([layer(ANNOTATION)], options.opacity) };
    const errorsOf = (layers) => runs.errors(layers, layer(ANNOTATION), ERRORS, Math.max(options.opacity, 0.15));
    if (!shown.length) found[BLENDED] = options.annotation && truth ? found[ANNOTATION] : null;
    else if (options.errors && truth) found[BLENDED] = there.length ? errorsOf(there.map((key) => layer(key))) : null;
    else found[BLENDED] = runs.overlay([...there.map((key) => layer(key)), ...outlineOfTruth], options.opacity);
    for (const key of there) found[key] = options.errors && truth ? errorsOf([{ ...layer(key), colour: BLACK }]) : runs.overlay([layer(key)], options.opacity);
    return found;
  }

  function redraw() {
    stage.draw(tables());
    tell();
  }

  /* Show a frame as soon as its picture is decoded, unless another one is wanted by then. */
  async function seek(frame) {
    now.frame = Math.min(now.video.frames - 1, Math.max(0, frame));
    seeking += 1;
    const turn = seeking;
    const image = await picture(now.frame);
    if (turn !== seeking) return;
    stage.picture = image;
    const layers = [ANNOTATION, ...now.chosen].map((key) => ({ masks: masks.get(key), bit: bitOf(key) }));
    stage.label(now.frame, layers);
    redraw();
    if (!now.playing) write();
    $("stage").dataset.shown = `${now.video.key}/${now.frame}`;
    for (let ahead = 1; ahead <= AHEAD; ahead += 1) picture(now.frame + ahead);
  }

  function play(on) {
    if (now.playing === on) return;
    now.playing = on;
    $("play").setAttribute("aria-pressed", String(on));
    $("play").textContent = on ? "Pause" : "Play";
    if (on) step();
    else if (now.video) write();
  }

  async function step() {
    const began = performance.now();
    await seek((now.frame + 1) % now.video.frames);
    const left = 1000 / Number($("speed").value) - (performance.now() - began);
    setTimeout(() => requestAnimationFrame(() => { if (now.playing) step(); }), Math.max(0, left - 8));
  }

  /* --- What is said ----------------------------------------------------------------------------------------------- */

  const say = (text) => { $("said").textContent = text; };

  function wordsOf(key) {
    if (key === ANNOTATION) return isAnnotated(now.frame) ? {} : { badge: "not annotated" };
    if (!masks.get(key)) return { badge: `no masks ${methodOf(key).masks.length ? "of this video" : "in this site"}`, numbers: numbersOf(key) };
    if (isAbsent(key, now.frame)) return { badge: "absent: no mask of this frame", numbers: numbersOf(key) };
    return { numbers: numbersOf(key), badge: options.errors && !isAnnotated(now.frame) ? "not annotated: no error map" : "" };
  }

  function numbersOf(key) {
    const J = valueAt("J", key, now.frame);
    const F = valueAt("F", key, now.frame);
    if (J !== null || F !== null) return `J ${VB.format(J)}  F ${VB.format(F)}`;
    const own = count(key, now.frame);
    if (!own) return "";
    return values.J[key] ? `not scored; J ${VB.format(own.J)} counted` : `J ${VB.format(own.J)} counted`;
  }

  function tell() {
    const { video, frame } = now;
    const where = `frame ${frame} of ${video.name}`;
    for (const key of [ANNOTATION, ...visible()]) {
      const { numbers, badge } = wordsOf(key);
      const title = key === ANNOTATION ? "Annotation" : methodOf(key).title;
      stage.tell(key, { numbers, badge, label: [`${title}, ${where}`, numbers, badge].filter(Boolean).join(": ") });
    }
    const absent = visible().filter((key) => isAbsent(key, frame)).map((key) => methodOf(key).title);
    stage.tell(BLENDED, {
      numbers: visible().map((key) => [methodOf(key).title, numbersOf(key)].join("  ")).join("\n"),
      badge: absent.length ? `absent: ${absent.join(", ")}` : "",
      label: `${visible().map((key) => methodOf(key).title).join(", ") || "No method"}, ${where}`,
    });
    $("clock").textContent = `${frame} / ${video.frames - 1}`;
    scrubber.show(frame, `frame ${frame} of ${video.frames - 1}`);
    $("numbers-caption").textContent = `Numbers of frame ${frame} (counted from 0) of ${video.name}${now.dataset.united ? "; masks and J counted here are of all objects together" : ""}`;
    $("numbers").replaceChildren(...now.chosen.map((key) => {
      const own = count(key, frame);
      const about = methodOf(key);
      const cells = [valueAt("J", key, frame), valueAt("F", key, frame), own ? own.J : null].map((value) => VB.format(value));
      const pixels = own ? [own.right, own.excess, own.missed].map((value) => value.toLocaleString("en")) : ["–", "–", "–"];
      return el("tr", now.hidden.has(key) ? { class: "off" } : null,
        el("th", { scope: "row" }, el("span", { class: `dot ${markOf(key)}`, "aria-hidden": "true" }), el("bdi", { text: about.title })),
        ...[...cells, ...pixels].map((text) => el("td", { text })),
        el("td", { class: "signature", text: about.signature }));
    }));
  }

  function legend() {
    const parts = options.annotation && masks.get(ANNOTATION) ? [["line gt", "annotation"]] : [];
    if (options.errors && !options.blend) parts.push(["line own", "contour of the prediction"]);
    else parts.push(...visible().map((key) => [`line ${markOf(key)}`, methodOf(key).title]));
    if (options.errors) parts.push(...Object.entries(NAMES).map(([kind, text]) => [`fill ${kind}`, text]));
    $("legend").replaceChildren(...parts.map(([name, text]) => el("span", { class: "entry" },
      el("span", { class: `chip ${name}`, "aria-hidden": "true" }), el("bdi", { text }))),
    now.dataset.frames ? "" : el("span", { text: "This site was built without frames (--media full): masks are on grey." }));
  }

  function fillChoices() {
    const { dataset, video } = now;
    fillSelect($("dataset"), index.datasets, dataset.key, "title");
    fillSelect($("video"), dataset.videos, video.key, "name");
    const link = $("video-page");
    link.hidden = !dataset.pages;
    link.href = `${VB.root}/video/${dataset.key}/${video.key}.html`;
    $("methods").replaceChildren(...dataset.methods.map((each) => el("label", { class: "method" },
      el("input", { type: "checkbox", value: each.key, on: { change: choose } }),
      el("span", { class: "dot", "aria-hidden": "true" }), el("bdi", { text: each.title }),
      each.masks.length ? null : el("small", { text: " no masks" }))));
    showOptions();
  }

  function fillSelect(select, things, key, name) {
    if (select.dataset.of !== things.map((each) => each.key).join()) {
      select.replaceChildren(...things.map((each) => el("option", { value: each.key, text: each[name] })));
      select.dataset.of = things.map((each) => each.key).join();
    }
    select.value = key;
  }

  function showOptions() {
    for (const label of $("methods").children) {
      const [input, mark] = label.children;
      input.checked = now.chosen.includes(input.value);
      input.disabled = !input.checked && now.chosen.length >= MOST;
      mark.setAttribute("class", `dot ${input.checked ? markOf(input.value) : "none"}`);
      label.classList.toggle("off", now.hidden.has(input.value));
    }
    for (const radio of document.getElementsByName("view")) radio.checked = (radio.value === "blend") === options.blend;
    $("errors").checked = options.errors;
    $("annotation").checked = options.annotation;
    $("contours").checked = options.contours;
    $("opacity").value = String(Math.round(options.opacity * 100));
  }

  /* --- What the user does ------------------------------------------------------------------------------------------ */

  function changed() {
    showOptions();
    arrange();
    redraw();
    write();
  }

  function set(name, value) {
    options[name] = value;
    changed();
  }

  async function choose(event) {
    const key = event.target.value;
    now.chosen = event.target.checked ? [...now.chosen, key].slice(0, MOST) : now.chosen.filter((each) => each !== key);
    now.hidden.delete(key);
    if (event.target.checked) await loadMasks(now.dataset, now.video, key);
    showOptions();
    arrange();
    await seek(now.frame);
  }

  function toggle(place) {
    const key = now.chosen[place];
    if (!key) return say(`No method has the number ${place + 1}`);
    if (now.hidden.has(key)) now.hidden.delete(key);
    else now.hidden.add(key);
    changed();
    return say(`${methodOf(key).title} is ${now.hidden.has(key) ? "hidden" : "shown"}`);
  }

  function otherVideo(by) {
    const { videos } = now.dataset;
    open(now.dataset, videos[(videos.indexOf(now.video) + by + videos.length) % videos.length], 0);
  }

  const ACTIONS = {
    " ": () => play(!now.playing),
    Home: () => seek(0),
    End: () => seek(now.video.frames - 1),
    0: () => set("annotation", !options.annotation),
    1: () => toggle(0),
    2: () => toggle(1),
    3: () => toggle(2),
    4: () => toggle(3),
    e: () => set("errors", !options.errors),
    b: () => set("blend", !options.blend),
    c: () => set("contours", !options.contours),
    n: worst,
    p: disagree,
    "[": () => otherVideo(-1),
    "]": () => otherVideo(1),
    "+": () => stage.zoomBy(1.5),
    "=": () => stage.zoomBy(1.5),
    "-": () => stage.zoomBy(1 / 1.5),
    w: () => stage.reset(),
    "?": () => $("help").showModal(),
  };

  function arrow(across, down, shift) {
    if (shift && stage.zoomed) stage.shift(-across * 0.2, -down * 0.2);
    else if (across) seek(now.frame + across * (shift ? 10 : 1));
    else return false;
    return true;
  }

  function listen() {
    const clicks = {
      play: ACTIONS[" "], back: () => seek(now.frame - 1), forth: () => seek(now.frame + 1), worst, disagree,
      before: () => otherVideo(-1), after: () => otherVideo(1), nearer: () => stage.zoomBy(1.5),
      farther: () => stage.zoomBy(1 / 1.5), whole: () => stage.reset(), "help-open": ACTIONS["?"],
    };
    for (const [id, run] of Object.entries(clicks)) $(id).addEventListener("click", run);
    for (const name of ["errors", "annotation", "contours"]) $(name).addEventListener("change", () => set(name, $(name).checked));
    for (const radio of document.getElementsByName("view")) radio.addEventListener("change", () => set("blend", radio.value === "blend"));
    $("opacity").addEventListener("input", () => set("opacity", Number($("opacity").value) / 100));
    $("video").addEventListener("change", () => open(now.dataset, now.dataset.videos.find((each) => each.key === $("video").value), 0));
    $("dataset").addEventListener("change", () => read({ d: $("dataset").value, b: options.blend ? "1" : "" }));
    VB.listenToKeys({ actions: ACTIONS, arrow, box: $("shortcuts"), list: $("help-keys"), dialog: $("help") });
    VB.state.listen(read);
  }

  async function start() {
    index = await VB.load("data/viewer.js").catch(() => ({ datasets: [] }));
    if (!index.datasets.length) {
      $("nothing").hidden = false;
      $("nothing").textContent = "This site has no frames and no masks. Build it with: vosbench report --media full --masks METHOD=MASKS --root DATASET";
      return;
    }
    $("viewer").hidden = false;
    listen();
    await read(VB.state.get());
  }

  VB.viewer = { ready: start(), seek, count, curve, labels: () => stage.labels, picture: () => stage.picture, now, options };
})();
