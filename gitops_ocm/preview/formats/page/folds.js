// Elements, and what helps to read a section: all its diffs folded or unfolded, only some of its entries.

/** An element. All text becomes text nodes: nothing of a file is ever read as HTML. */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Buttons that fold and unfold all diffs of a section, and a field that leaves only some of its entries. */
function tools(place) {
  const section = place.closest("section");
  const folds = [...section.querySelectorAll("details")];
  const rest = section.querySelector(".rest");
  const entries = [...section.querySelectorAll(".entry")];
  for (const [title, wanted] of [["Unfold all", true], ["Fold all", false]]) {
    const button = element("button", { type: "button" }, title);
    button.addEventListener("click", () => folds.forEach((fold) => (fold.open = wanted)));
    if (folds.length > 1) place.append(button);
  }
  if (entries.length > 5) {
    const field = element("input", { type: "search", placeholder: "kind, name, path", spellcheck: "false" });
    field.addEventListener("input", () => {
      if (rest && field.value) rest.open = true;
      const words = field.value.toLowerCase().split(/\s+/);
      for (const entry of entries) {
        const text = (entry.querySelector("summary, .flat") ?? entry).textContent.toLowerCase();
        entry.hidden = !words.every((word) => text.includes(word));
      }
    });
    place.prepend(element("label", {}, "Find objects ", field));
  }
  place.hidden = !place.childElementCount;
}

document.querySelectorAll("[data-folds]").forEach(tools);
