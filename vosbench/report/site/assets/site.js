/* What every page shares: data scripts, building elements, state in the address, numbers, and the theme.

   Data are classic scripts that call VB.board, VB.dataset, VB.video or VB.mask, since pages on disk cannot fetch files.
   What a script delivers is kept by its path below the site's root; VB.load(path) resolves with it.
   Elements are built from text alone, so that no name becomes markup. */
"use strict";
(() => {
  const root = document.documentElement.dataset.root || ".";
  const data = Object.create(null);
  const loads = new Map();
  const SVG = "http://www.w3.org/2000/svg";

  function pathOf(script) {
    if (!script) return "";
    if (script.dataset.path) return script.dataset.path;
    const base = new URL(`${root}/`, document.baseURI).href;
    return script.src.startsWith(base) ? decodeURIComponent(script.src.slice(base.length)) : script.src;
  }

  function deliver(value) {
    data[pathOf(document.currentScript)] = value;
  }

  /* Load a data script below the root, such as "data/davis16.js", once; resolves with what it delivers. */
  function load(path) {
    if (path in data) return Promise.resolve(data[path]);
    if (!loads.has(path)) {
      loads.set(path, new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.dataset.path = path;
        script.src = `${root}/${path.split("/").map(encodeURIComponent).join("/")}`;
        script.onload = () => (path in data ? resolve(data[path]) : reject(new Error(`${path} delivers nothing`)));
        script.onerror = () => { loads.delete(path); reject(new Error(`${path} cannot be loaded`)); };
        document.head.append(script);
      }));
    }
    return loads.get(path);
  }

  function safeLink(href) {
    const text = String(href);
    return /^https?:\/\//i.test(text) || !/^[\s\u0000-\u001f]*[a-z][a-z0-9+.-]*:/i.test(text) ? text : "";
  }

  function fill(element, properties, children) {
    for (const [name, value] of Object.entries(properties || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name === "class") element.setAttribute("class", value);
      else if (name === "text") element.textContent = value;
      else if (name === "on") for (const [event, run] of Object.entries(value)) element.addEventListener(event, run);
      else if (name === "href") { const link = safeLink(value); if (link) element.setAttribute("href", link); }
      else if (/^on/i.test(name) || name === "style" || name === "src") throw new Error(`${name} is not for VB.el`);
      else element.setAttribute(name, value === true ? "" : String(value));
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
    return element;
  }

  /* VB.el("a", {class, text, href, on: {click}, …}, …children); VB.svg likewise. Children are elements or strings. */
  const el = (tag, properties, ...children) => fill(document.createElement(tag), properties, children);
  const svg = (tag, properties, ...children) => fill(document.createElementNS(SVG, tag), properties, children);

  /* The state of a page: words behind "#", such as #d=davis16&s=JF_mean. */
  const state = (() => {
    let pending = null;
    const listeners = [];
    function get() {
      if (pending) return { ...pending };
      const found = Object.create(null);
      for (const part of location.hash.slice(1).split("&")) {
        const at = part.indexOf("=");
        if (at < 1) continue;
        try {
          found[decodeURIComponent(part.slice(0, at))] = decodeURIComponent(part.slice(at + 1).replace(/\+/g, " "));
        } catch { /* a broken link: the rest of it still counts */ }
      }
      return found;
    }
    function write() {
      const words = Object.entries(pending).map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value).replace(/%2C/g, ",")}`);
      pending = null;
      history.replaceState(null, "", words.length ? `#${words.join("&")}` : location.pathname + location.search);
      permalink();
    }
    /* Change some words; null or "" removes one. The address is written at most once a frame. */
    function set(changes) {
      const next = get();
      for (const [key, value] of Object.entries(changes)) {
        if (value === null || value === undefined || value === "") delete next[key];
        else next[key] = String(value);
      }
      if (!pending) requestAnimationFrame(write);
      pending = next;
    }
    addEventListener("hashchange", () => { permalink(); for (const run of listeners) run(get()); });
    return { get, set, listen: (run) => listeners.push(run) };
  })();

  function format(number, digits = 3) {
    if (number === null || number === undefined || !Number.isFinite(number)) return "–";
    const text = number.toFixed(digits);
    return text.startsWith("-") ? (Number(text) === 0 ? text.slice(1) : `−${text.slice(1)}`) : text;
  }

  const theme = (() => {
    const NAMES = ["auto", "light", "dark"];
    let now = "auto";
    try { const kept = localStorage.getItem("vosbench-theme"); if (NAMES.includes(kept)) now = kept; } catch { /* not kept */ }
    function show() {
      if (now === "auto") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = now;
      for (const button of document.querySelectorAll("[data-theme-switch]")) {
        button.hidden = false;
        button.textContent = `Theme: ${now}`;
      }
    }
    function set(name) {
      now = NAMES.includes(name) ? name : "auto";
      try { localStorage.setItem("vosbench-theme", now); } catch { /* not kept */ }
      show();
      dispatchEvent(new CustomEvent("vb-theme", { detail: now }));
    }
    show();
    return { get: () => now, set, next: () => set(NAMES[(NAMES.indexOf(now) + 1) % NAMES.length]), show };
  })();

  function permalink() {
    const field = document.querySelector("[data-permalink]");
    if (!field) return;
    const base = document.querySelector("link[rel=canonical]");
    field.value = (base ? base.href : location.href.split("#")[0]) + location.hash;
  }

  function start() {
    theme.show();
    permalink();
    for (const button of document.querySelectorAll("[data-theme-switch]")) button.addEventListener("click", theme.next);
    for (const field of document.querySelectorAll(".select-all")) field.addEventListener("focus", () => field.select());
  }

  window.VB = { root, data, load, deliver, board: deliver, dataset: deliver, video: deliver, mask: deliver, el, svg, state, format, theme, safeLink };
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else start();
})();
