// The grid of clusters. Of ten thousand only those in view are in the document; keys move a mark among all.

const grid = document.getElementById("grid");
const rows = element("div", { role: "rowgroup" });
const AROUND = 2; // rows beyond what is in view

const view = { found: clusters, active: 0, columns: 1, height: 60, first: -1, last: -1 };

/** What one cluster looks like. */
function cell(cluster, at) {
  const kinds = kindsOf(cluster);
  const marked = kinds.filter(([kind]) => data.kinds[kind][2]);
  const marks = marked.map(([kind, count]) => {
    const [sign, style, how] = data.kinds[kind];
    return element("span", { class: `mark ${style}` }, how === "count" ? `${sign}${count}` : `${sign} ${kind}`);
  });
  if (!marks.length) marks.push(element("span", { class: "of" }, kinds[0]?.[0] ?? "unchanged"));
  const told = kinds.map(([kind, count]) => (count > 1 ? `${count} ${kind}` : kind));
  const sets = cluster.sets.join(", ");
  const label = [cluster.name, sets && `set ${sets}`, told.join(", ") || "unchanged"].filter(Boolean).join("; ");
  const styles = marked.map(([kind]) => data.kinds[kind][1]);
  const tone = ["refused", "delete", "warning", "change", "create", "move", "keep"].find((style) => styles.includes(style));
  return element(
    "div",
    { role: "gridcell", id: `cell-${cluster.number}`, class: `cluster ${tone ?? ""}`, "aria-label": label, "data-at": at },
    element("span", { class: "name" }, cluster.name),
    element("span", { class: "of" }, sets),
    element("span", { class: "marks" }, ...marks),
  );
}

/** Measures how many columns fit, and how high a row is, in the reader's size of letters. */
function measure() {
  const em = parseFloat(getComputedStyle(grid).fontSize);
  view.columns = Math.max(1, Math.floor(grid.clientWidth / (12 * em)));
  view.height = Math.round(4.75 * em);
  view.first = -1;
  draw();
}

/** Puts the rows in view into the document. */
function draw() {
  const many = Math.ceil(view.found.length / view.columns);
  const first = Math.max(0, Math.floor(grid.scrollTop / view.height) - AROUND);
  const last = Math.min(many, Math.ceil((grid.scrollTop + grid.clientHeight) / view.height) + AROUND);
  if (first === view.first && last === view.last) return mark();
  Object.assign(view, { first, last });
  rows.style.height = `${many * view.height}px`;
  const shown = [];
  for (let row = first; row < last; row += 1) {
    const made = element("div", { role: "row", "aria-rowindex": row + 1, class: "row" });
    const from = row * view.columns;
    view.found.slice(from, from + view.columns).forEach((cluster, at) => made.append(cell(cluster, from + at)));
    made.style.top = `${row * view.height}px`;
    made.style.height = `${view.height}px`;
    made.style.gridTemplateColumns = `repeat(${view.columns}, minmax(0, 1fr))`;
    shown.push(made);
  }
  rows.replaceChildren(...shown);
  grid.setAttribute("aria-rowcount", many);
  grid.setAttribute("aria-colcount", view.columns);
  return mark();
}

/** Shows which cluster the keys are at. */
function mark() {
  for (const old of rows.querySelectorAll("[aria-selected]")) old.removeAttribute("aria-selected");
  const cluster = view.found[view.active];
  const at = cluster && document.getElementById(`cell-${cluster.number}`);
  if (at) at.setAttribute("aria-selected", "true");
  if (at) grid.setAttribute("aria-activedescendant", at.id);
  else grid.removeAttribute("aria-activedescendant");
}

/** Moves the mark, and what is in view with it. */
function moveTo(at) {
  view.active = Math.max(0, Math.min(view.found.length - 1, at));
  const top = Math.floor(view.active / view.columns) * view.height;
  if (top < grid.scrollTop) grid.scrollTop = top;
  const below = top + view.height - grid.clientHeight;
  if (below > grid.scrollTop) grid.scrollTop = below;
  draw();
}

/** Shows other clusters than before. */
function show(found) {
  Object.assign(view, { found, active: 0, first: -1 });
  grid.scrollTop = 0;
  draw();
}

function stepOf(key) {
  const page = Math.max(1, Math.floor(grid.clientHeight / view.height)) * view.columns;
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: view.columns, ArrowUp: -view.columns, PageDown: page, PageUp: -page };
  return steps[key] ?? { Home: -Infinity, End: Infinity }[key];
}

grid.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const step = stepOf(event.key);
  if (step !== undefined) {
    const to = view.active + step;
    // Up and down stay in their column; they do not run along the last row.
    if (Number.isFinite(to) && Math.abs(step) === view.columns && view.columns > 1 && (to < 0 || to >= view.found.length)) {
      event.preventDefault();
      return;
    }
    event.preventDefault();
    moveTo(to);
  } else if ((event.key === "Enter" || event.key === " ") && view.found[view.active]) {
    event.preventDefault();
    showCluster(view.found[view.active]);
  }
});

grid.addEventListener("click", (event) => {
  const hit = event.target.closest("[data-at]");
  if (!hit) return;
  moveTo(Number(hit.dataset.at));
  showCluster(view.found[view.active]);
});

grid.addEventListener("scroll", draw, { passive: true });
