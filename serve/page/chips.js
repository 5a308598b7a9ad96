// A text field whose finished words become chips.

/**
 * changed is called with the list of words whenever it changes; the word that is
 * being typed is the last of them.
 */
export function chips(list, input, changed) {
  const words = [];
  let told = "", swatches = [];

  function tell() {
    const typing = input.value.trim();
    const all = typing && !has(typing) ? [...words, typing] : [...words];
    if (all.join("\n") === told) return;
    told = all.join("\n");
    changed(all);
  }
  const has = (word) => words.some((w) => w.toLowerCase() === word.toLowerCase());

  function add(text) {
    for (const word of text.split(/[,;\n]/).map((w) => w.trim()).filter(Boolean)) {
      if (!has(word)) words.push(word);
    }
    input.value = "";
    draw();
    tell();
  }

  function remove(i) {
    words.splice(i, 1);
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
    input.placeholder = words.length ? "another word" : "cat, sofa";
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
    set(given) {
      words.splice(0, words.length, ...given);
      input.value = "";
      draw();
      tell();
    },
    /** Gives the chips the colours of their labels. */
    color(colors) {
      swatches = colors;
      paint();
    },
  };
}
