// Downloads.

function offer(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

const base = (file) => (file.name || "photo").replace(/\.[^.]*$/, "");
const bytes = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
const json = (value) => new Blob([JSON.stringify(value, null, 2) + "\n"], { type: "application/json" });

/** Files named as those of the command. */
export const save = {
  overlay: (file, r) => offer(new Blob([bytes(r.formats.overlay)], { type: "image/png" }), `${base(file)}.overlay.png`),
  mask: (file, r) => offer(new Blob([bytes(r.formats.mask)], { type: "image/png" }), `${base(file)}.mask.png`),
  json: (file, r) => offer(json({ ...r, photo: file.name || r.photo }), `${base(file)}.json`),
  coco: (file, r) => offer(json(r.formats.coco), `${base(file)}.coco.json`),
  async canvas(file, canvas) {
    offer(await new Promise((resolve) => canvas.toBlob(resolve, "image/png")), `${base(file)}.groups.png`);
  },
};

/**
 * The regions of a photo as a PNG whose other pixels are transparent: of one label, or of
 * all (0). map is of the photo's own size.
 */
export async function cutOut(file, photo, map, labels, only, name) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: map.width, height: map.height });
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This photo is too large for this browser's canvas. Try another browser, or save a mask.");
  context.drawImage(photo, 0, 0, map.width, map.height);
  const image = context.getImageData(0, 0, map.width, map.height);
  for (let i = 0; i < labels.length; i++) if (only ? labels[i] !== only : !labels[i]) image.data[4 * i + 3] = 0;
  context.putImageData(image, 0, 0);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!blob) throw new Error("This photo is too large for this browser's canvas. Try another browser, or save a mask.");
  offer(blob, `${base(file)}.${name || "cutout"}.png`);
}
