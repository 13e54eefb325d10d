/* The time line of the viewer: a range input over curves of J. */
"use strict";
(() => {
  const { el, svg } = window.VB;

  /* A scrubber in an element. moved: called with a frame that the user chose. */
  function makeScrubber(place, { moved }) {
    const input = el("input", { type: "range", id: "frame", min: "0", max: "0", step: "1", "aria-label": "Frame" });
    const curves = svg("svg", { preserveAspectRatio: "none", "aria-hidden": "true", focusable: "false" });
    const scale = el("div", { class: "scale", "aria-hidden": "true" }, el("span", { text: "J 1" }), el("span", { text: "0" }));
    place.replaceChildren(curves, scale, input);
    input.addEventListener("input", () => moved(Number(input.value)));

    /* Pieces of a curve: neighbouring values of the frames that are annotated, without gaps. */
    function pieces(values, annotated) {
      const found = [[]];
      for (const frame of annotated) {
        const value = values[frame];
        if (value === null || value === undefined) found.push([]);
        else found.at(-1).push(`${frame},${1 - value}`);
      }
      return found.filter((piece) => piece.length).map((piece) => (piece.length > 1 ? piece : [piece[0], piece[0]]));
    }

    /* Draw curves. lines: [{mark, values: J of each frame or null, absent: frames without a mask}]. */
    function draw(frames, annotated, lines) {
      const last = Math.max(1, frames - 1);
      input.max = String(frames - 1);
      curves.setAttribute("viewBox", `0 0 ${last} 1`);
      curves.replaceChildren(
        svg("line", { class: "middle", x1: 0, x2: last, y1: 0.5, y2: 0.5 }),
        ...lines.flatMap(({ mark, values, absent }) => [
          ...pieces(values, annotated).map((piece) => svg("polyline", { class: mark, points: piece.join(" ") })),
          ...absent.map((frame) => svg("line", { class: `absent ${mark}`, x1: frame, x2: frame, y1: 0.86, y2: 1 })),
        ]),
      );
    }

    function show(frame, text) {
      input.value = String(frame);
      input.setAttribute("aria-valuetext", text);
    }

    return { draw, show, input };
  }

  window.VB.makeScrubber = makeScrubber;
})();
