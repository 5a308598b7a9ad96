// A text field whose finished words become chips.

/**
 * changed is called with the list of words whenever it changes; the word that is
 * being typed is the last of them. Suggested words give way to the first typed one.
 */
export function chips(list, input, changed) {
  const words = [];
  let told = "", swatches = [], suggested = false;

  function tell() {
    const typing = input.value.trim();
    const kept = typing && suggested ? [] : words;
    const all = typing && !kept.some((w) => same(w, typing)) ? [...kept, typing] : [...kept];
    if (all.join("\n") === told) return;
    told = all.join("\n");
    changed(all);
  }
  const same = (a, b) => a.toLowerCase() === b.toLowerCase();

  function add(text) {
    const typed = text.split(/[,;\n]/).map((w) => w.trim()).filter(Boolean);
    if (suggested && typed.length) {
      words.length = 0;
      suggested = false;
    }
    for (const word of typed) if (!words.some((w) => same(w, word))) words.push(word);
    input.value = "";
    draw();
    tell();
  }

  function remove(i) {
    words.splice(i, 1);
    suggested = false;
    draw();
    tell();
    (list.querySelectorAll("button")[Math.min(i, words.length - 1)] || input).focus();
  }

  function draw() {
    list.replaceChildren(...words.map((word, i) => {
      const item = document.createElement("li"), button = document.createElement("button");
      item.append(word.replaceAll("|", " | "), button);
      button.type = "button";
      button.textContent = "×";
      button.setAttribute("aria-label", `Remove ${word}`);
      button.onclick = () => remove(i);
      return item;
    }));
    paint();
    list.classList.toggle("suggested", suggested);
    input.placeholder = !words.length ? "cat, sofa" : suggested ? "your own words" : "another word";
  }

  function paint() {
    list.querySelectorAll("li").forEach((item, i) => item.style.setProperty("--swatch", swatches[i] || "transparent"));
  }

  input.addEventListener("keydown", (e) => {
    if (e.isComposing) return;
    if (e.key === "Enter") {
      e.preventDefault();
      add(input.value);
    } else if (e.key === "Backspace" && !input.value && words.length) {
      remove(words.length - 1);
      input.focus();
    }
  });
  input.addEventListener("input", () => {
    if (/[,;\n]/.test(input.value)) add(input.value);
    else tell();
  });
  input.addEventListener("change", () => input.value.trim() && add(input.value));
  return {
    /** Puts words in the place of those that are there. */
    set(given, suggestions = false) {
      words.splice(0, words.length, ...given);
      suggested = suggestions;
      input.value = "";
      draw();
      tell();
    },
    /** Whether the words are suggestions, which a photo that comes may replace. */
    suggested: () => suggested,
    /** Gives the chips the colours of their labels. */
    color(colors) {
      swatches = colors;
      paint();
    },
  };
}
