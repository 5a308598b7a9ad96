// Zoom and pan of the photo: buttons, keys, Ctrl and the wheel, two fingers; one finger
// or the mouse moves a photo that is larger than its place.

const most = 8;

/** layers are drawn one over the other in frame; the last one takes the pointer. */
export function zoom(frame, layers, { closer, further }) {
  const top = layers.at(-1), fingers = new Map();
  let scale = 1, left = 0, upper = 0; // of the photo in its frame, in pixels of the page

  function apply() {
    const { width, height } = frame.getBoundingClientRect();
    left = Math.min(0, Math.max(left, width * (1 - scale)));
    upper = Math.min(0, Math.max(upper, height * (1 - scale)));
    for (const layer of layers) layer.style.transform = scale > 1 ? `translate(${left}px, ${upper}px) scale(${scale})` : "";
    frame.classList.toggle("zoomed", scale > 1);
    closer.disabled = scale >= most;
    further.disabled = scale <= 1;
  }

  /** Changes the scale around a place of the page, by default the frame's middle. */
  function by(factor, x, y) {
    const box = frame.getBoundingClientRect(), before = scale;
    const px = (x ?? box.left + box.width / 2) - box.left, py = (y ?? box.top + box.height / 2) - box.top;
    scale = Math.min(most, Math.max(1, scale * factor));
    left = px - ((px - left) * scale) / before;
    upper = py - ((py - upper) * scale) / before;
    apply();
  }

  closer.onclick = () => by(1.5);
  further.onclick = () => by(1 / 1.5);
  top.addEventListener("wheel", (e) => {
    if (!e.ctrlKey && !e.metaKey) return; // the page scrolls
    e.preventDefault();
    by(Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.002)), e.clientX, e.clientY);
  }, { passive: false });
  top.addEventListener("keydown", (e) => {
    const factor = { "+": 1.5, "=": 1.5, "-": 1 / 1.5, 0: 1 / most }[e.key];
    if (!factor || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    by(factor);
  });
  top.addEventListener("pointerdown", (e) => {
    fingers.set(e.pointerId, e);
    if (scale > 1) top.setPointerCapture(e.pointerId);
  });
  top.addEventListener("pointermove", (e) => {
    const before = fingers.get(e.pointerId);
    if (!before) return;
    if (fingers.size === 1) {
      left += e.clientX - before.clientX;
      upper += e.clientY - before.clientY;
      apply();
    } else if (fingers.size === 2) {
      const [other] = [...fingers.values()].filter((f) => f.pointerId !== e.pointerId);
      const apart = (f) => Math.hypot(f.clientX - other.clientX, f.clientY - other.clientY) || 1;
      by(apart(e) / apart(before), (e.clientX + other.clientX) / 2, (e.clientY + other.clientY) / 2);
    }
    fingers.set(e.pointerId, e);
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) top.addEventListener(end, (e) => fingers.delete(e.pointerId));
  addEventListener("resize", apply);
  apply();
  return {
    /** Shows the whole photo. */
    reset() {
      scale = 1;
      fingers.clear();
      apply();
    },
  };
}
