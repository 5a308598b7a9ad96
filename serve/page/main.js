// The page: a photo, words, and the regions they name. The photo is encoded once;
// new words ask for a new map, everything else works on the map that is here.
import { Problem, Unreachable, connect } from "./api.js";
import { chips } from "./chips.js";
import { view } from "./view.js";
import { cutOut, save } from "./save.js";
import { decide, unpack } from "./planes.js";
import { samples } from "./samples.js";

const $ = (id) => document.getElementById(id);
const previewSide = 1024; // of maps and of the photo on the page, in pixels

// id is the encoded photo, whole the same at its own size where that is another:
// without a server a large photo is made smaller first, and whole is null until
// something is saved.
const state = { api: null, model: null, file: null, bitmap: null, id: null, whole: null, words: [], sent: null, stages: null };
const show = view();
const field = chips($("chips"), $("words"), (words) => { state.words = words; soon(); });

// ---- Who answers.

const ready = (async () => {
  state.api = await connect(askToken);
  if (state.api.where === "browser") {
    $("where").hidden = false;
    $("where").textContent = "Runs in this browser: nothing is sent anywhere.";
    say("Starting in this browser…");
  }
  const { models } = await state.api.ask("GET", "v1/models");
  state.model = models[0];
  show.stages(state.model.groups.length, showStage);
  say("");
})();
ready.catch(fail);

function askToken(wrong) {
  const dialog = $("tokendialog");
  $("tokenwrong").hidden = !wrong;
  $("token").value = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => resolve($("token").value);
  });
}

// ---- The photo.

async function load(file) {
  if (!file) return;
  const mine = (state.file = file);
  Object.assign(state, { bitmap: null, id: null, whole: null, sent: null, stages: null });
  show.clear();
  busy(true);
  say("Encoding the photo…");
  try {
    const bitmap = await createImageBitmap(file).catch(() => null);
    await ready;
    if (bitmap && mine === state.file) show.photo(bitmap, previewSide);
    const info = await encode(file, bitmap);
    if (mine !== state.file) return; // another photo came meanwhile
    Object.assign(state, { bitmap, id: info.id });
    if (!bitmap) show.blank(info.width, info.height, previewSide);
    $("keys").hidden = false;
    if (!state.words.length || field.suggested()) await propose();
    await question();
    if (!state.words.length || field.suggested()) $("words").focus();
  } catch (error) {
    if (mine === state.file) fail(error);
  } finally {
    if (mine === state.file) busy(false);
  }
}

/** Whether the photo is made smaller before it is encoded. */
const shrinks = (bitmap) => state.api.where === "browser" && bitmap && Math.max(bitmap.width, bitmap.height) > previewSide;

/** Encodes a photo; without a bitmap at its own size, whatever that is. */
async function encode(file, bitmap, signal) {
  let body = file;
  if (shrinks(bitmap)) body = await new Promise((resolve) => show.photoCanvas().toBlob(resolve, "image/png"));
  const name = encodeURIComponent(file.name || "photo");
  return state.api.ask("POST", `v1/images?name=${name}`, { type: "application/octet-stream", body, signal });
}

// ---- The question.

/** Lets the model name what it sees, unless the user does so meanwhile. */
async function propose() {
  const file = state.file;
  say("Looking for what it shows…");
  const { proposed, segments } = await segment({ labels: ["auto"], result_side: 64 });
  if (file !== state.file || (state.words.length && !field.suggested())) return;
  const found = proposed.map(({ word }) => word).filter((word) => segments.some(({ label }) => label === word));
  field.set(found, true);
  state.words = found;
}

let timer, running;

function soon() {
  clearTimeout(timer);
  timer = setTimeout(() => question().catch(fail), 90);
}

/** Asks for the words as they are now, unless just that has been asked. */
async function question() {
  if (!state.id) return;
  const key = state.id + "\n" + state.words.join("\n");
  if (key === state.sent) return;
  state.sent = key;
  running?.abort();
  if (!state.words.length) {
    show.clearMap();
    say("Now name what to look for.");
    return;
  }
  const mine = (running = new AbortController());
  try {
    const begin = performance.now();
    const result = await segment({ labels: state.words, formats: ["planes"], result_side: previewSide }, { signal: mine.signal });
    const map = await unpack(result.formats.planes);
    if (mine.signal.aborted) return;
    field.color(map.colors);
    show.map(map, result.labels, result.segments);
    say(notes(result), false, `${Math.round(performance.now() - begin)} ms`);
  } catch (error) {
    if (!mine.signal.aborted) throw error;
  }
}

/** What is worth knowing about an answer. */
function notes({ report, rare_words: rare = [] }) {
  const words = rare.map(({ label }) => `“${label}”`).join(", ");
  const near = [...new Set(rare.flatMap((w) => w.near ?? []))].map((w) => `“${w}”`).join(", ");
  const hardly = rare.length && `${words} ${rare.length > 1 ? "are" : "is"} rare in the training data: the result may be wrong.${near && ` Words near by: ${near}.`}`;
  return [report.note, hardly].filter(Boolean).join(" ");
}

/**
 * Asks about the photo, with whole at its own size. One that has not been sent at that
 * size, or that the server has forgotten, is sent.
 */
async function segment(ask, { signal, whole } = {}) {
  const { file, bitmap } = state, key = whole && shrinks(bitmap) ? "whole" : "id";
  const send = async () => { state[key] = (await encode(file, key === "id" ? bitmap : null, signal)).id; };
  const question = async () => {
    const answer = await state.api.ask("POST", `v1/images/${state[key]}/segment`, { type: "application/json", body: JSON.stringify(ask), signal });
    return answer.results[0];
  };
  if (!state[key]) await send();
  try {
    return await question();
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 404) throw error;
    await send();
    return question();
  }
}

/** Shows the groups of a stage, asked for once; −1 are the words. */
async function showStage(i) {
  try {
    if (i >= 0 && !state.stages) {
      busy(true);
      const { results } = await state.api.ask("POST", `v1/images/${state.id}/groups`);
      state.stages = await Promise.all(results[0].stages.map((s) => unpack(s.planes)));
    }
    show.stage(i, i >= 0 ? state.stages[i] : null);
  } catch (error) {
    fail(error);
  } finally {
    busy(false);
  }
}

// ---- Downloads, at the photo's own size and with the threshold as it is set.

async function download(format) {
  try {
    busy(true);
    say("Preparing the file at the photo's own size…");
    if (format === "overlay" && show.inStages()) {
      await save.canvas(state.file, show.composed());
      return say("");
    }
    const ask = { labels: state.words, formats: format === "json" ? [] : [format] };
    const threshold = show.chosenThreshold();
    if (threshold !== null) ask.background = threshold;
    save[format](state.file, await segment(ask, { whole: true }));
    say("");
  } catch (error) {
    fail(error, () => download(format));
  } finally {
    busy(false);
  }
}
/** Saves the region that is shown alone, or all of them, cut out of the photo. */
async function cut() {
  try {
    busy(true);
    say("Cutting out at the photo's own size…");
    const photo = state.bitmap;
    if (!photo) throw new Error("This browser cannot show this kind of photo. Save a mask, or convert the photo to JPEG or PNG");
    const result = await segment({ labels: state.words, formats: ["planes"] }, { whole: true });
    const map = await unpack(result.formats.planes), only = show.alone();
    const labels = decide(map, show.chosenThreshold() ?? map.threshold);
    await cutOut(state.file, photo, map, labels, only, only ? result.labels[only - 1].split("|")[0].replace(/[^\p{L}\p{N}]+/gu, "-") : "");
    say("");
  } catch (error) {
    fail(error, cut);
  } finally {
    busy(false);
  }
}
$("cutout").onclick = cut;

for (const [id, format] of [["savepng", "overlay"], ["savemask", "mask"], ["savejson", "json"], ["savecoco", "coco"]]) {
  $(id).onclick = () => download(format);
}

// ---- What is said.

function say(text, wrong = false, quiet = "") {
  $("status").textContent = text;
  $("status").classList.toggle("wrong", wrong);
  $("retry").hidden = true;
  $("took").textContent = text ? "" : quiet;
}

/** Says what went wrong, and offers to do it again. */
function fail(error, again) {
  console.error(error);
  state.sent = null;
  say([error.message, error.remedy].filter(Boolean).join(". "), true);
  const retry = error instanceof Unreachable || (error instanceof Problem && error.status >= 500) ? again || (() => (state.id ? question() : load(state.file))) : null;
  $("retry").hidden = !retry;
  $("retry").onclick = () => {
    say("");
    Promise.resolve(retry()).catch(fail);
  };
}

function busy(on) {
  $("busy").hidden = !on;
  document.body.setAttribute("aria-busy", String(on));
}

// ---- How photos come in: chosen, dropped, pasted.

$("file").onchange = (e) => { load(e.target.files[0]); e.target.value = ""; };
samples($("samples"), async (file, words) => {
  if (!state.words.length) field.set(words);
  await load(file);
}, fail);
$("form").onsubmit = (e) => e.preventDefault();
const drop = $("drop");
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (e) => {
    e.preventDefault();
    drop.classList.toggle("over", kind === "dragenter" || kind === "dragover");
    if (kind === "drop") load([...e.dataTransfer.files].find((f) => f.type.startsWith("image/")));
  });
}
document.addEventListener("paste", (e) => {
  const file = [...e.clipboardData.files].find((f) => f.type.startsWith("image/"));
  if (file) {
    e.preventDefault();
    load(file);
  }
});
