/* Keyboard shortcuts of the viewer, which can be switched off, and their list. */
"use strict";
(() => {
  const { el } = window.VB;
  const LIST = [
    ["Space", "play or pause"],
    ["← →", "previous, next frame; with Shift ten frames, or moves what is zoomed"],
    ["Home End", "first, last frame"],
    ["1 … 4", "show or hide a method"],
    ["0", "show or hide the annotation"],
    ["e", "error map"],
    ["b", "side by side or blended"],
    ["c", "contours"],
    ["n", "next worst frame of the first method that is shown"],
    ["p", "next frame on which J of the methods differs most"],
    ["[ ]", "previous, next video"],
    ["+ − w", "zoom in, zoom out, whole picture"],
    ["?", "this list"],
  ];
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const MOVES = /^( |Arrow|Home|End|Page)/;
  const NATIVE = { range: MOVES, checkbox: /^ $/, radio: /^( |Arrow)/, button: /^( |Enter)$/, submit: /^( |Enter)$/ };
  const KEPT = "vosbench-shortcuts";

  /* Whether the focused element does something with a key itself. */
  function taken(target, key) {
    if (!(target instanceof Element)) return false;
    if (target.closest("select, textarea, [contenteditable], dialog")) return true;
    if (target.closest("input, button")) return target.type in NATIVE ? NATIVE[target.type].test(key) : true;
    return (target.matches("[role=region]") && MOVES.test(key)) || (target.closest("a, summary") !== null && key === "Enter");
  }

  /* actions: key → function. arrow: function(across, down, shift) that says whether it did something.
     box: the check box that switches them off. list: the body of the table that lists them. dialog: what is around it. */
  window.VB.listenToKeys = ({ actions, arrow, box, list, dialog }) => {
    try { box.checked = localStorage.getItem(KEPT) !== "off"; } catch { /* not kept */ }
    box.addEventListener("change", () => {
      try { localStorage.setItem(KEPT, box.checked ? "on" : "off"); } catch { /* not kept */ }
    });
    list.replaceChildren(...LIST.map(([key, text]) =>
      el("tr", null, el("th", { scope: "row" }, el("kbd", { text: key })), el("td", { text }))));
    addEventListener("keydown", (event) => {
      const { key } = event;
      if (!box.checked || event.ctrlKey || event.altKey || event.metaKey || dialog.open || taken(event.target, key)) return;
      if (key in ARROWS) {
        if (!arrow(...ARROWS[key], event.shiftKey)) return;
      } else if (Object.hasOwn(actions, key)) actions[key]();
      else return;
      event.preventDefault();
    });
  };
})();
