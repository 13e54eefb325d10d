/* Masks as run lengths, in the browser: inflate, paint, count, and turn labels into colours.

   Runs are row-major, background first, as LEB128 numbers; the last run is left out. Of each video a Uint8Array holds
   the inflated runs of all frames, and two arrays say where those of a frame begin and end; without bytes there is no
   mask. Labels have a bit for each layer, and five more bits where a layer's contour is, so that a table of 1024
   colours is all that views differ in. */
"use strict";
(() => {
  const LAYERS = 5;
  const EVERY = (1 << LAYERS) - 1;

  function bytesOf(base64) {
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = text.charCodeAt(at);
    return bytes;
  }

  /* What a script of masks delivers, inflated: {bytes, starts, ends, frames, height, width}. */
  async function inflate(delivered) {
    if (delivered.version !== 1) throw new Error(`masks of version ${delivered.version}`);
    const stream = new Blob([bytesOf(delivered.runs)]).stream().pipeThrough(new DecompressionStream("deflate"));
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
    const starts = [];
    const ends = [];
    for (let at = 0; at < bytes.length;) {
      let length = 0;
      for (let scale = 1; ; scale *= 128) {
        const byte = bytes[at];
        at += 1;
        length += (byte & 127) * scale;
        if (byte < 128) break;
      }
      starts.push(at);
      at += length;
      ends.push(at);
    }
    return { bytes, starts, ends, frames: starts.length, height: delivered.height, width: delivered.width };
  }

  const has = (masks, frame) => frame < masks.frames && masks.ends[frame] > masks.starts[frame];

  /* Set a bit of the labels where the mask of a frame is. */
  function paint(labels, masks, frame, bit) {
    const { bytes, starts, ends } = masks;
    const size = labels.length;
    const end = ends[frame];
    let at = starts[frame];
    let position = 0;
    let inside = false;
    while (at < end) {
      let run = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = bytes[at];
        at += 1;
        run |= (byte & 127) << shift;
        if (byte < 128) break;
      }
      const next = Math.min(position + run, size);
      if (inside) for (let pixel = position; pixel < next; pixel += 1) labels[pixel] |= bit;
      position = next;
      inside = !inside;
    }
    if (inside) for (let pixel = position; pixel < size; pixel += 1) labels[pixel] |= bit;
  }

  /* Labels, with the bits of the layers whose contour passes within so many pixels five places higher. */
  function outline(labels, width, reach, out) {
    const size = labels.length;
    const above = reach * width;
    const last = size - above;
    for (let row = 0; row < size; row += width) {
      for (let column = 0; column < width; column += 1) {
        const at = row + column;
        const own = labels[at];
        let edge = 0;
        if (column >= reach) edge |= own ^ labels[at - reach];
        if (column + reach < width) edge |= own ^ labels[at + reach];
        if (row >= above) edge |= own ^ labels[at - above];
        if (row < last) edge |= own ^ labels[at + above];
        out[at] = own | (edge << LAYERS);
      }
    }
  }

  /* The ends of the runs of a frame, one after the other; the last is the number of pixels. */
  function borders(masks, frame) {
    const { bytes, starts, ends } = masks;
    const found = [];
    let position = 0;
    for (let at = starts[frame]; at < ends[frame];) {
      let run = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = bytes[at];
        at += 1;
        run |= (byte & 127) << shift;
        if (byte < 128) break;
      }
      position += run;
      found.push(position);
    }
    const size = masks.height * masks.width;
    if (position < size) found.push(size);
    return found;
  }

  /* Pixels that are right, too much and missed in a frame, and J; null if either has no mask. */
  function counts(annotation, prediction, frame) {
    if (!annotation || !prediction || !has(annotation, frame) || !has(prediction, frame)) return null;
    const ones = borders(annotation, frame);
    const others = borders(prediction, frame);
    const found = [0, 0, 0, 0]; // by annotation + 2 × prediction
    let position = 0;
    for (let one = 0, other = 0; one < ones.length && other < others.length;) {
      const next = Math.min(ones[one], others[other]);
      found[(one & 1) + 2 * (other & 1)] += next - position;
      position = next;
      if (ones[one] === next) one += 1;
      if (others[other] === next) other += 1;
    }
    const union = found[1] + found[2] + found[3];
    return { right: found[3], excess: found[2], missed: found[1], J: union ? found[3] / union : 1 };
  }

  const rgba = ([red, green, blue], alpha) =>
    ((Math.round(alpha * 255) << 24) | (Math.round(blue) << 16) | (Math.round(green) << 8) | Math.round(red)) >>> 0;

  function mixed(colours) {
    const sum = [0, 0, 0];
    for (const colour of colours) for (let at = 0; at < 3; at += 1) sum[at] += colour[at] / colours.length;
    return sum;
  }

  /* A colour for each label with its contours, as little-endian RGBA.
     layers: [{bit, colour, filled, lined}], the last one's contour on top. */
  function overlay(layers, opacity) {
    const table = new Uint32Array(1 << (2 * LAYERS));
    for (let at = 0; at < table.length; at += 1) {
      const inside = layers.filter((layer) => layer.filled && at & layer.bit).map((layer) => layer.colour);
      if (inside.length) table[at] = rgba(mixed(inside), opacity);
      for (const layer of layers) if (layer.lined && (at >> LAYERS) & layer.bit) table[at] = rgba(layer.colour, 1);
    }
    return table;
  }

  /* Where methods are right, have too much, or miss something; of several, the more of them the stronger. */
  function errors(layers, annotation, colours, opacity) {
    const table = new Uint32Array(1 << (2 * LAYERS));
    const all = layers.reduce((bits, layer) => bits | layer.bit, 0);
    for (let at = 0; at < table.length; at += 1) {
      const share = layers.filter((layer) => at & layer.bit).length / layers.length;
      if (at & annotation.bit) {
        const parts = [colours.right, colours.missed];
        table[at] = rgba(parts[0].map((value, channel) => value * share + parts[1][channel] * (1 - share)), opacity);
      } else if (at & all) table[at] = rgba(colours.excess, opacity * share);
      for (const layer of [...layers, annotation]) {
        if (layer.lined && (at >> LAYERS) & layer.bit) table[at] = rgba(layer.colour, 1);
      }
    }
    return table;
  }

  window.VB.runs = { EVERY, inflate, has, paint, outline, counts, overlay, errors };
})();
