// Maps as the API sends them (format "planes"), and what can be said of them
// without asking again.

/** Unpacks base64 of zlib. */
async function inflate(base64) {
  const packed = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A label and, where there is one, a confidence (0 to 255) for every pixel. */
export async function unpack(planes) {
  const [bytes, sure] = await Promise.all([
    inflate(planes.labels), planes.confidence ? inflate(planes.confidence) : null,
  ]);
  const labels = planes.bits === 16 ? new Uint16Array(bytes.buffer) : bytes;
  return { width: planes.width, height: planes.height, labels, sure, colors: planes.colors, threshold: planes.threshold };
}

/** The labels that are as sure as a threshold from 0 to 1 wants. */
export function decide(map, threshold) {
  if (!map.sure || !threshold) return map.labels;
  const least = Math.ceil(threshold * 255), out = map.labels.slice();
  for (let i = 0; i < out.length; i++) if (map.sure[i] < least) out[i] = 0;
  return out;
}

/** How many pixels each label has, and how sure they are on the whole. */
export function count(map, labels, n) {
  const pixels = new Array(n + 1).fill(0), sure = new Array(n + 1).fill(0);
  for (let i = 0; i < labels.length; i++) {
    pixels[labels[i]]++;
    if (map.sure) sure[labels[i]] += map.sure[i];
  }
  return pixels.map((p, i) => ({ pixels: p, area: p / labels.length, sure: p && map.sure ? sure[i] / p / 255 : null }));
}

/** The least threshold, in percent, at which nothing is left: beyond it nothing happens. */
export function lastThreshold(map) {
  let most = 0;
  for (let i = 0; i < map.labels.length; i++) if (map.labels[i] && map.sure[i] > most) most = map.sure[i];
  return Math.min(100, Math.max(5, Math.ceil((100 * most) / 255) + 1));
}

/** How sure a region is, in a word: by how far it is above the threshold in force. */
export function sureness(sure, threshold) {
  if (sure === null) return "";
  const over = sure / Math.max(threshold, 0.02);
  return over >= 2.5 ? "clear" : over >= 1.5 ? "likely" : "faint";
}
