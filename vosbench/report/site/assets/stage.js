/* The pictures of the viewer: a canvas for each layer, or one for all; zoomed and moved together. */
"use strict";
(() => {
  const { el, runs } = window.VB;
  const DEEPEST = 12;
  const GREY = "#7a7d85";

  /* A stage of panels in an element.
     moved: called with the number of frames that a finger has swiped. */
  function makeStage(place, { moved }) {
    const off = document.createElement("canvas");
    const offContext = off.getContext("2d");
    let panels = [];
    let size = { width: 0, height: 0 };
    let labels = new Uint8Array(0);
    let marked = new Uint16Array(0);
    let reach = 0; // of contours, in pixels; 0 if they are not marked yet
    let pixels = null; // of one panel, before it is drawn over the picture
    let picture = null; // of the frame that is shown; null draws on grey
    const zoom = { scale: 1, x: 0, y: 0 }; // x and y: shift in parts of a panel's size

    /* Panels for layers: [{name, title}]; names that stay keep their canvas. */
    function layOut(wanted) {
      const old = new Map(panels.map((panel) => [panel.name, panel]));
      panels = wanted.map((each) => {
        const panel = old.get(each.name) || makePanel(each.name);
        panel.title.textContent = each.title;
        panel.mark.setAttribute("class", `dot ${each.mark || ""}`);
        return panel;
      });
      place.replaceChildren(...panels.map((panel) => panel.figure));
      place.dataset.panels = String(panels.length);
      resize();
      move();
    }

    function makePanel(name) {
      const canvas = el("canvas", { role: "img", "aria-label": "" });
      const badge = el("p", { class: "badge", hidden: true });
      const view = el("div", { class: "view" }, canvas, badge);
      const mark = el("span", { class: "dot", "aria-hidden": "true" });
      const title = el("bdi", { class: "name" });
      const numbers = el("span", { class: "numbers" });
      const figure = el("figure", { class: "panel", "data-layer": name }, view,
        el("figcaption", null, mark, title, numbers));
      gestures(view);
      return { name, figure, view, canvas, context: canvas.getContext("2d"), badge, title, numbers, mark };
    }

    /* The size of masks, in pixels; of frames if there are no masks. */
    function resize(width = size.width, height = size.height) {
      size = { width, height };
      if (!pixels || pixels.width !== width || pixels.height !== height) {
        labels = new Uint8Array(width * height);
        marked = new Uint16Array(width * height);
        pixels = width * height ? offContext.createImageData(width, height) : null;
      }
      for (const canvas of [off, ...panels.map((panel) => panel.canvas)]) {
        if (canvas.width !== width || canvas.height !== height) {
          canvas.width = width;
          canvas.height = height;
        }
      }
    }

    /* Label the pixels of a frame. layers: [{masks, bit}]; those without masks, or of another size, are left out. */
    function label(frame, layers) {
      labels.fill(0);
      for (const { masks, bit } of layers) {
        if (masks && masks.width === size.width && masks.height === size.height && runs.has(masks, frame)) {
          runs.paint(labels, masks, frame, bit);
        }
      }
      reach = 0;
    }

    /* Mark contours, the wider the smaller pictures are shown, so that they are seen. */
    function mark() {
      const wide = panels.length ? panels[0].view.clientWidth : 0;
      const wanted = Math.max(1, Math.min(8, Math.round(size.width / Math.max(1, wide) / 1.5)));
      if (wanted !== reach) runs.outline(labels, size.width, wanted, marked);
      reach = wanted;
    }

    /* Draw all panels. tables: name → table of colours, or null for the picture alone. */
    function draw(tables) {
      const { width, height } = size;
      if (!width) return;
      mark();
      for (const { name, context } of panels) {
        if (picture) context.drawImage(picture, 0, 0, width, height);
        else {
          context.fillStyle = GREY;
          context.fillRect(0, 0, width, height);
        }
        const table = tables[name];
        if (!table) continue;
        const colours = new Uint32Array(pixels.data.buffer);
        for (let at = 0; at < colours.length; at += 1) colours[at] = table[marked[at]];
        offContext.putImageData(pixels, 0, 0);
        context.drawImage(off, 0, 0);
      }
    }

    /* What is said of a panel: numbers beneath it, a badge over it if there is nothing to see, and its name. */
    function tell(name, { numbers, badge, label: text }) {
      const panel = panels.find((each) => each.name === name);
      if (!panel) return;
      panel.numbers.textContent = numbers || "";
      panel.badge.hidden = !badge;
      panel.badge.textContent = badge || "";
      panel.canvas.setAttribute("aria-label", text);
    }

    function move() {
      const free = zoom.scale - 1;
      zoom.x = Math.min(0, Math.max(-free, zoom.x));
      zoom.y = Math.min(0, Math.max(-free, zoom.y));
      for (const { canvas } of panels) {
        canvas.style.transform = free
          ? `translate(${zoom.x * 100}%, ${zoom.y * 100}%) scale(${zoom.scale})` : "none";
        canvas.style.imageRendering = zoom.scale >= 4 ? "pixelated" : "auto";
      }
      place.classList.toggle("zoomed", free > 0);
      place.dataset.zoom = zoom.scale.toFixed(2);
    }

    /* Zoom by a factor around a point, in parts of a panel's size. */
    function zoomBy(factor, x = 0.5, y = 0.5) {
      const scale = Math.min(DEEPEST, Math.max(1, zoom.scale * factor));
      const ratio = scale / zoom.scale;
      zoom.x = x - (x - zoom.x) * ratio;
      zoom.y = y - (y - zoom.y) * ratio;
      zoom.scale = scale;
      move();
    }

    function reset() {
      Object.assign(zoom, { scale: 1, x: 0, y: 0 });
      move();
    }

    function shift(x, y) {
      zoom.x += x;
      zoom.y += y;
      move();
    }

    /* Drag moves what is zoomed, two fingers zoom, one finger swipes through frames, a double click zooms. */
    function gestures(view) {
      const down = new Map();
      let swiped = 0;
      const at = (event) => {
        const box = view.getBoundingClientRect();
        return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
      };
      const spread = () => {
        const [one, other] = [...down.values()];
        return Math.hypot(one.x - other.x, one.y - other.y);
      };
      view.addEventListener("pointerdown", (event) => {
        if (event.pointerType === "mouse" && (event.button !== 0 || zoom.scale === 1)) return;
        down.set(event.pointerId, at(event));
        swiped = 0;
        view.setPointerCapture(event.pointerId);
      });
      view.addEventListener("pointermove", (event) => {
        if (!down.has(event.pointerId)) return;
        const before = down.get(event.pointerId);
        const now = at(event);
        if (down.size === 2) {
          const apart = spread();
          down.set(event.pointerId, now);
          const [one, other] = [...down.values()];
          if (apart > 0.01) zoomBy(spread() / apart, (one.x + other.x) / 2, (one.y + other.y) / 2);
          return;
        }
        down.set(event.pointerId, now);
        if (zoom.scale > 1) shift(now.x - before.x, now.y - before.y);
        else {
          swiped += now.x - before.x;
          const frames = Math.trunc(swiped * 30);
          if (frames) {
            swiped -= frames / 30;
            moved(frames);
          }
        }
      });
      for (const name of ["pointerup", "pointercancel"]) {
        view.addEventListener(name, (event) => down.delete(event.pointerId));
      }
      view.addEventListener("dblclick", (event) => {
        const { x, y } = at(event);
        if (zoom.scale > 1) reset();
        else zoomBy(3, x, y);
      });
      view.addEventListener("wheel", (event) => {
        if (!event.ctrlKey && !event.metaKey) return;
        event.preventDefault();
        const { x, y } = at(event);
        zoomBy(Math.exp(-event.deltaY / 200), x, y);
      }, { passive: false });
    }

    return {
      layOut, resize, label, draw, tell, zoomBy, reset, shift,
      get labels() { return labels; },
      get zoomed() { return zoom.scale > 1; },
      get picture() { return picture; },
      set picture(image) { picture = image; },
    };
  }

  window.VB.makeStage = makeStage;
})();
