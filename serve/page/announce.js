// What a screen reader says and nobody sees.
let timer;

/** Says a text, the last one of those that come within so many milliseconds. */
export function announce(text, within = 0) {
  clearTimeout(timer);
  timer = setTimeout(() => { document.getElementById("heard").textContent = text; }, within);
}
