// Search, filters, and what buttons elsewhere on the page ask of the grid.

const search = document.getElementById("search");
const setChoice = document.getElementById("set");
const kindChoice = document.getElementById("kinds");
const only = document.getElementById("only");
const status = document.getElementById("found");
let group = null;

/** Narrows the grid to what is asked for. */
function narrow() {
  const kinds = new Set([...kindChoice.querySelectorAll("input:checked")].map((box) => box.value));
  const isFound = finder(search.value);
  const members = group && new Set(numbersOf(group.members));
  const found = clusters.filter(
    (cluster) =>
      (!members || members.has(cluster.number)) &&
      (!setChoice.value || cluster.sets.includes(setChoice.value)) &&
      (!kinds.size || cluster.groups.some(({ kind }) => kinds.has(kind))) &&
      isFound(cluster),
  );
  const all = clusters.length.toLocaleString("en");
  status.textContent = found.length === clusters.length ? `all ${all}` : `${found.length.toLocaleString("en")} of ${all}`;
  only.replaceChildren(...(group ? [chip(group)] : []));
  show(found);
}

function chip({ about, title }) {
  const text = about ? `${about}: ${title}` : title;
  const made = element("button", { type: "button", class: "chip" }, `only ${text} `, element("span", { "aria-hidden": "true" }, "✕"));
  made.setAttribute("aria-label", `Only ${text}; show all again`);
  made.addEventListener("click", () => {
    group = null;
    narrow();
    search.focus();
  });
  return made;
}

function choices() {
  const counts = new Map();
  for (const cluster of clusters) for (const [kind] of kindsOf(cluster)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  for (const [kind, [sign, style]] of Object.entries(data.kinds)) {
    if (!counts.has(kind)) continue;
    const box = element("input", { type: "checkbox", value: kind });
    kindChoice.append(element("label", { class: `choice ${style}` }, box, ` ${sign} ${kind} (${counts.get(kind).toLocaleString("en")})`));
  }
  setChoice.append(...data.sets.map((set) => element("option", { value: set }, set)));
  setChoice.closest("label").hidden = !data.sets.length;
  kindChoice.hidden = !counts.size;
}

/** Goes to the grid, narrowed to one group or one set, and to nothing else. */
function goTo(wanted, set) {
  group = wanted;
  setChoice.value = set;
  search.value = "";
  for (const box of kindChoice.querySelectorAll("input")) box.checked = false;
  narrow();
  document.getElementById("clusters").scrollIntoView();
  grid.focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button.show");
  if (!button) return;
  const { show: key, set } = button.dataset;
  goTo(key ? groups[Number(key.slice(1))] : null, set ?? "");
});

document.getElementById("finder").hidden = false;
document.getElementById("scriptless").remove();
grid.append(rows);
choices();
for (const asked of [search, setChoice, kindChoice]) asked.addEventListener("input", narrow);
search.addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown") return;
  event.preventDefault();
  grid.focus();
});
narrow();
new ResizeObserver(measure).observe(grid);
// Of a set whose clusters are all in another one now there is nothing to show.
for (const button of document.querySelectorAll("button.show")) {
  button.disabled = "set" in button.dataset && !data.sets.includes(button.dataset.set);
}

const [, linkedName] = /^#cluster\/(.*)$/.exec(location.hash) ?? [];
const linked = clusters.find(({ name }) => encodeURIComponent(name) === linkedName);
if (linked) showCluster(linked);
