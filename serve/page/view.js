// What is on the page of a photo and its map: the canvases, the list of what was
// found, the threshold, the label under the pointer.
import { count, decide, lastThreshold, sureness } from "./planes.js";
import { cross, name as write, paint, places } from "./paint.js";
import { announce } from "./announce.js";
import { zoom } from "./zoom.js";

const $ = (id) => document.getElementById(id);
const percent = (share) => (share > 0 && share < 0.005 ? "<1%" : `${Math.round(100 * share)}%`);

/** Fits a size into a square. */
function fit(width, height, side) {
  const f = Math.min(1, side / Math.max(width, height));
  return [Math.max(1, Math.round(width * f)), Math.max(1, Math.round(height * f))];
}

export function view() {
  const photo = $("photo"), overlay = $("overlay"), tip = $("tip");
  const closeness = zoom($("picture"), [photo, overlay], { closer: $("zoomin"), further: $("zoomout") });
  let words = null; // {map, names}: the regions of the words
  let groups = null; // {map, names}: those of a grouping stage, if shown
  let labels = null; // of the pixels, as the threshold has decided
  let spots = null; // where the regions' names stand
  let only = 0, probe = null, chosen = null;

  const shown = () => groups || words;
  const opacity = () => $("opacity").value / 100;

  function place(width, height) {
    photo.width = width;
    photo.height = height;
    overlay.width = width;
    overlay.height = height;
    $("picture").style.setProperty("--ratio", width / height);
    $("picture").hidden = false;
    closeness.reset();
    document.querySelector(".invite").hidden = true;
  }

  function draw() {
    const s = shown();
    if (!s) {
      overlay.getContext("2d").clearRect(0, 0, overlay.width, overlay.height);
      return;
    }
    paint(overlay, s.map, labels, opacity(), only);
    if (!groups && $("names").checked) write(overlay, spots, s.names.map((n) => n.split("|")[0]), textSize(), only);
    if (probe) cross(overlay, probe);
  }

  /** The size of text that is as large on the screen as that of the page, or a little less. */
  function textSize() {
    const shown = overlay.getBoundingClientRect().width || overlay.width;
    return Math.max(10, Math.round((15 * overlay.width) / shown));
  }

  /** Decides again: after a new map, threshold or view. */
  function update() {
    const s = shown();
    if (!s) return draw();
    labels = groups ? s.map.labels : decide(s.map, $("threshold").value / 100);
    spots = groups ? null : places(s.map, labels, s.names.length);
    list(count(s.map, labels, s.names.length));
    draw();
  }

  function list(counts) {
    const s = shown();
    const items = s.names.map((name, i) => ({ name, id: i + 1, ...counts[i + 1] })).filter((l) => l.pixels > 0);
    if (!items.some((l) => l.id === only)) only = 0;
    items.sort((a, b) => b.pixels - a.pixels);
    const nodes = items.map((l) => {
      const item = document.createElement("li"), button = document.createElement("button");
      const swatch = document.createElement("i"), name = document.createElement("b"), share = document.createElement("span");
      swatch.style.setProperty("--swatch", s.map.colors[l.id - 1]);
      name.textContent = l.name;
      const sure = groups ? "" : sureness(l.sure, s.map.threshold);
      share.textContent = percent(l.area) + (sure && ` · ${sure}`);
      if (sure) share.title = `${percent(l.area)} of the photo; confidence ${Math.round(100 * l.sure)}%, the threshold is ${Math.round(100 * s.map.threshold)}%`;
      button.type = "button";
      button.append(swatch, name, share);
      button.setAttribute("aria-pressed", String(only === l.id));
      button.title = "Show this one alone";
      button.onclick = () => {
        only = only === l.id ? 0 : l.id;
        update();
        $("found").querySelector(`[data-id="${l.id}"]`)?.focus();
      };
      button.dataset.id = l.id;
      item.append(button);
      return item;
    });
    const missing = groups ? [] : s.names.filter((_, i) => !counts[i + 1].pixels);
    if (missing.length) {
      const none = document.createElement("li");
      none.className = "none";
      none.textContent = `Not found: ${missing.join(", ")}`;
      nodes.push(none);
    }
    $("found").replaceChildren(...nodes);
    const told = items.length ? items.map((l) => `${l.name} ${percent(l.area)}`).join(", ") : "nothing found";
    overlay.setAttribute("aria-label", `Photo: ${told}`);
    announce(`${told}${missing.length ? `; not found: ${missing.join(", ")}` : ""}`, 700); // while somebody types
  }

  /** Says what is at a place, in pixels of the map, and shows it there. */
  function point(x, y, keyboard) {
    const s = shown();
    if (!s || x < 0 || y < 0 || x >= s.map.width || y >= s.map.height) return hide();
    const i = Math.floor(y) * s.map.width + Math.floor(x), label = labels[i];
    const swatch = document.createElement("i");
    if (label) swatch.style.background = s.map.colors[label - 1];
    const name = label ? s.names[label - 1] : "nothing";
    const best = !label && s.map.labels[i] ? s.map.labels[i] : 0; // below the threshold
    const sure = s.map.sure && !groups && s.map.labels[i] ? ` ${Math.round(s.map.sure[i] / 2.55)}%` : "";
    const next = label && !groups && s.next[label] ? `, or ${s.next[label]}` : "";
    tip.replaceChildren(swatch, name + (best ? ` (${s.names[best - 1]}${sure})` : label ? sure : "") + next);
    tip.hidden = false;
    const box = overlay.getBoundingClientRect(), frame = $("picture").getBoundingClientRect();
    tip.style.left = `${Math.min(Math.max(box.left - frame.left + (x / s.map.width) * box.width, 60), frame.width - 60)}px`;
    tip.style.top = `${Math.max(box.top - frame.top + (y / s.map.height) * box.height, 46)}px`;
    if (!keyboard) return;
    draw();
    announce(tip.textContent);
  }

  function hide() {
    tip.hidden = true;
    if (probe) {
      probe = null;
      draw();
    }
  }

  overlay.onpointermove = (e) => {
    const s = shown(), box = overlay.getBoundingClientRect();
    if (s) point(((e.clientX - box.left) / box.width) * s.map.width, ((e.clientY - box.top) / box.height) * s.map.height);
  };
  overlay.onpointerdown = overlay.onpointermove;
  overlay.onpointerleave = hide;
  overlay.onblur = hide;
  overlay.onkeydown = (e) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key], s = shown();
    if (e.key === "Escape") hide();
    if (!step || !s) return;
    e.preventDefault();
    const by = e.shiftKey ? 1 : Math.max(1, Math.round(Math.max(s.map.width, s.map.height) / 40));
    probe ??= { x: s.map.width / 2, y: s.map.height / 2 };
    probe.x = Math.min(Math.max(probe.x + step[0] * by, 0), s.map.width - 1);
    probe.y = Math.min(Math.max(probe.y + step[1] * by, 0), s.map.height - 1);
    point(probe.x, probe.y, true);
  };

  const told = (id) => { $(`${id}value`).textContent = `${$(id).value}%`; };
  $("threshold").oninput = () => { chosen = $("threshold").value / 100; told("threshold"); update(); };
  $("opacity").oninput = () => { told("opacity"); draw(); };
  $("names").onchange = draw;
  told("opacity");

  return {
    photo(bitmap, side) {
      place(...fit(bitmap.width, bitmap.height, side));
      photo.getContext("2d").drawImage(bitmap, 0, 0, photo.width, photo.height);
    },
    /** Stands for a photo that the browser cannot show but the server can read. */
    blank(width, height, side) {
      place(...fit(width, height, side));
    },
    photoCanvas: () => photo,
    clear() {
      words = groups = probe = chosen = null;
      document.body.classList.remove("grouped");
      only = 0;
      $("results").hidden = true;
      const first = document.querySelector("#viewlist input");
      if (first) first.checked = true;
      draw();
      hide();
    },
    clearMap() {
      words = null;
      $("results").hidden = !groups;
      update();
    },
    map(map, names, segments) {
      words = { map, names, next: Object.fromEntries(segments.map((s) => [s.id, s.runner_up])) };
      $("results").hidden = false;
      $("thresholdrow").hidden = !map.sure;
      if (map.sure) $("threshold").max = Math.max(lastThreshold(map), Math.round(100 * map.threshold) + 1);
      if (chosen === null) $("threshold").value = Math.round(100 * (map.threshold || 0));
      told("threshold");
      update();
    },
    /** Offers the grouping stages of a model. */
    stages(n, choose) {
      $("views").hidden = n === 0;
      const names = ["Words", ...Array.from({ length: n }, (_, i) => `Groups of stage ${i + 1}`)];
      $("viewlist").replaceChildren(...names.map((name, i) => {
        const label = document.createElement("label"), input = document.createElement("input");
        Object.assign(input, { type: "radio", name: "view", checked: i === 0, onchange: () => choose(i - 1) });
        label.append(input, name);
        return label;
      }));
    },
    /** Shows a grouping stage, or the words again. */
    stage(i, map) {
      document.body.classList.toggle("grouped", Boolean(map));
      groups = map && { map, names: map.colors.map((_, k) => `group ${k + 1}`) };
      only = 0;
      $("thresholdrow").hidden = Boolean(groups) || !words?.map.sure;
      update();
    },
    inStages: () => Boolean(groups),
    /** The label that is shown alone, from 1; 0 are all. */
    alone: () => only,
    /** The threshold, where somebody has set it; else null. */
    chosenThreshold: () => chosen,
    /** The photo with what is painted over it. */
    composed() {
      const out = document.createElement("canvas"), context = out.getContext("2d");
      out.width = overlay.width;
      out.height = overlay.height;
      context.drawImage(photo, 0, 0, out.width, out.height);
      context.drawImage(overlay, 0, 0);
      return out;
    },
  };
}
