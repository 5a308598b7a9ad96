// Draws regions over a photo.

/** "#rrggbb" to [r, g, b]. */
const rgb = (color) => [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));

/**
 * Paints labels on a canvas of their size: colour with an opacity from 0 to 1, a
 * strong line along borders. only, if positive, is the one label that keeps its
 * full colour.
 */
export function paint(canvas, map, labels, opacity, only) {
  const { width, height } = map;
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height), out = image.data;
  const colors = [[0, 0, 0], ...map.colors.map(rgb)];
  const reach = Math.max(1, Math.round(Math.min(width, height) / 320));
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const own = labels[i];
      if (!own) continue;
      const border =
        (x >= reach && labels[i - reach] !== own) || (x + reach < width && labels[i + reach] !== own) ||
        (y >= reach && labels[i - reach * width] !== own) || (y + reach < height && labels[i + reach * width] !== own);
      const dim = only && only !== own ? 0.15 : 1;
      const [r, g, b] = colors[own];
      out[4 * i] = r;
      out[4 * i + 1] = g;
      out[4 * i + 2] = b;
      out[4 * i + 3] = 255 * dim * (border ? Math.min(1, opacity + 0.4) : opacity);
    }
  }
  context.putImageData(image, 0, 0);
}

/** A cross where the keyboard points. */
export function cross(canvas, { x, y }) {
  const context = canvas.getContext("2d"), arm = Math.max(6, Math.min(canvas.width, canvas.height) / 24);
  for (const [style, width] of [["#000c", arm / 3], ["#fff", arm / 7]]) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(x - arm, y);
    context.lineTo(x + arm, y);
    context.moveTo(x, y - arm);
    context.lineTo(x, y + arm);
    context.stroke();
  }
}

/**
 * The places of names: for each label the pixel that lies deepest inside it, with its
 * distance to the border, in pixels.
 */
export function places(map, labels, n) {
  const { width, height } = map, far = new Uint16Array(labels.length);
  const own = (i, j) => (labels[i] === labels[j] ? far[j] : 0);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      far[i] = 1 + Math.min(x ? own(i, i - 1) : 0, y ? own(i, i - width) : 0);
    }
  }
  const best = Array.from({ length: n + 1 }, () => ({ x: 0, y: 0, inside: 0 }));
  for (let y = height - 1, i = labels.length - 1; y >= 0; y--) {
    for (let x = width - 1; x >= 0; x--, i--) {
      far[i] = Math.min(far[i], 1 + (x < width - 1 ? own(i, i + 1) : 0), 1 + (y < height - 1 ? own(i, i + width) : 0));
      const b = best[labels[i]];
      if (far[i] > b.inside) Object.assign(b, { x, y, inside: far[i] });
    }
  }
  return best;
}

/** Writes names where their regions have room for them; size is that of the text. */
export function name(canvas, spots, names, size, only) {
  const context = canvas.getContext("2d");
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  names.forEach((text, i) => {
    const spot = spots[i + 1];
    if (!spot.inside || spot.inside < size * 0.45 || (only && only !== i + 1)) return;
    const half = context.measureText(text).width / 2 + size / 4;
    const x = Math.min(Math.max(spot.x, half), canvas.width - half), y = Math.min(Math.max(spot.y, size), canvas.height - size);
    context.lineWidth = size / 4;
    context.strokeStyle = "#000b";
    context.strokeText(text, x, y);
    context.fillStyle = "#fff";
    context.fillText(text, x, y);
  });
}
