// The fleet as the page tells of it: clusters, the groups they are in, and who is found by what is typed.

const data = JSON.parse(document.getElementById("data").textContent);

const groups = data.groups.map(([title, about, kind, placement, members], number) => ({
  key: `g${number}`,
  title: data.texts[title],
  about: data.texts[about],
  kind: data.texts[kind],
  placement: data.texts[placement],
  members,
}));

const clusters = data.clusters.map(([name, sets], number) => ({
  number,
  name,
  sets: sets.map((set) => data.sets[set]),
  groups: [],
}));

/** Members are numbers of clusters, or a map of bits. */
function* numbersOf(members) {
  if (typeof members !== "string") {
    yield* members;
    return;
  }
  const bytes = atob(members);
  for (let at = 0; at < bytes.length; at += 1) {
    for (let bits = bytes.charCodeAt(at), bit = 0; bits; bits >>= 1, bit += 1) {
      if (bits & 1) yield at * 8 + bit;
    }
  }
}

for (const group of groups) {
  for (const number of numbersOf(group.members)) clusters[number].groups.push(group);
}

/** What a word may be looked for in: `set:eu` looks at sets alone, `eu` at all of these. */
const OF_GROUP = {
  placement: (group) => [group.placement],
  effect: (group) => [group.title, group.kind],
  rollout: (group) => [group.about],
};
const TERM = /(?:(name|set|placement|effect|rollout):)?(?:"([^"]*)"?|(\S+))/gi;

/** A function that tells whether a cluster is found by all words of a text. */
function finder(query) {
  const tests = [...query.matchAll(TERM)].map(([, field = "", quoted, word]) => {
    const wanted = (quoted ?? word).toLowerCase();
    const of = field.toLowerCase();
    const has = (text) => text.toLowerCase().includes(wanted);
    const looks = Object.entries(OF_GROUP).filter(([name]) => !of || of === name);
    const hit = new Set(groups.filter((group) => looks.some(([, texts]) => texts(group).some(has))));
    return (cluster) =>
      ((!of || of === "name") && has(cluster.name)) ||
      ((!of || of === "set") && cluster.sets.some(has)) ||
      (hit.size > 0 && cluster.groups.some((group) => hit.has(group)));
  });
  return (cluster) => tests.every((test) => test(cluster));
}

/** How often each kind of thing happens to a cluster, in the order of `data.kinds`. */
function kindsOf(cluster) {
  const counts = new Map();
  for (const { kind } of cluster.groups) {
    if (kind) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return Object.keys(data.kinds).filter((kind) => counts.has(kind)).map((kind) => [kind, counts.get(kind)]);
}
