// One cluster in full: copies of what the page says of the groups that it is in.

const detail = document.getElementById("detail");

/** What the page says of a group, without the clusters it says it of; its title where the page left it out. */
function said(group) {
  const found = document.getElementById(group.key);
  if (!found) return element("li", {}, group.title);
  const copy = found.cloneNode(true);
  copy.removeAttribute("id");
  for (const other of copy.querySelectorAll(".who, .lane")) other.remove();
  for (const fold of copy.querySelectorAll("details")) fold.open = true;
  return copy.matches("li") ? copy : element("li", {}, copy);
}

function parts(cluster) {
  const about = new Map([["", []]]);
  for (const group of cluster.groups) about.set(group.about, [...(about.get(group.about) ?? []), group]);
  return [...about].filter(([, found]) => found.length).flatMap(([title, found]) => [
    element("h4", {}, title || "What it is given"),
    element("ul", { class: "said" }, ...found.map(said)),
  ]);
}

/** Shows a cluster's details and goes there. */
function showCluster(cluster) {
  const close = element("button", { type: "button", class: "close" }, "Close");
  close.addEventListener("click", closeCluster);
  const title = element("h3", { id: "detail-title", tabindex: "-1" }, cluster.name);
  const sets = cluster.sets.length ? `cluster set ${cluster.sets.join(", ")}` : "";
  detail.replaceChildren(element("div", { class: "title" }, title, close), element("p", { class: "note" }, sets), ...parts(cluster));
  detail.hidden = false;
  history.replaceState(null, "", `#cluster/${encodeURIComponent(cluster.name)}`);
  measure();
  title.focus();
}

/** Closes the details; the keys are in the grid again. */
function closeCluster() {
  detail.hidden = true;
  detail.replaceChildren();
  history.replaceState(null, "", "#clusters");
  measure();
  moveTo(view.active);
  grid.focus();
}

detail.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeCluster();
});
