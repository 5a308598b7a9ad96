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
