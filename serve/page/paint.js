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
