// Photos to begin with, and words for them. They are those of the repository, free of
// rights; a server without them shows none.
const all = [
  { name: "astronaut.jpg", what: "an astronaut before a flag", words: ["person", "flag"] },
  { name: "cat.jpg", what: "a cat", words: ["cat", "eye"] },
  { name: "rocket.jpg", what: "a rocket at its start", words: ["rocket", "tower", "sky"] },
];

/** Offers them in a list; choose is called with the one that is clicked, and its words. */
export function samples(list, choose, fail) {
  list.replaceChildren(...all.map(({ name, what, words }) => {
    const item = document.createElement("li"), button = document.createElement("button"), image = document.createElement("img");
    const src = `page/samples/${name}`;
    Object.assign(image, { src, alt: what, width: 96, height: 72, loading: "lazy", onerror: () => { item.hidden = true; } });
    button.type = "button";
    button.title = `Try ${what}`;
    button.append(image);
    button.onclick = async () => {
      try {
        const answer = await fetch(src);
        if (!answer.ok) throw new Error(`This photo is missing (status ${answer.status})`);
        await choose(new File([await answer.blob()], name, { type: "image/jpeg" }), words);
      } catch (error) {
        fail(error);
      }
    };
    item.append(button);
    return item;
  }));
}
