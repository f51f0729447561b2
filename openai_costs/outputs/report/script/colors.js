// Colours belong to things: a member has one colour everywhere, whatever is filtered or drawn.
// Eight hues in two tones each (style/explorer.css). The hash of its id says which a member would
// like; the largest choose first, so that the eight largest differ in hue, and sixteen in colour.

const HUES = 8;
const COLORS = 2 * HUES;
const SEED = 2166136779;
const colorById = new Map();

function likedBy(id) {
  let hash = SEED;
  for (let i = 0; i < id.length; i += 1) hash = Math.imul(hash ^ id.charCodeAt(i), 16777619);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 2246822507);
  return (hash >>> 13) % COLORS;
}

/** Let the members of a dimension choose, by their dollars. */
function chooseColors(ids, dollars) {
  const taken = new Uint32Array(COLORS);
  const crowd = (color) => taken[color] * ids.length + taken[(color + HUES) % COLORS];
  const largestFirst = ids.map((_, i) => i).sort((a, b) => dollars[b] - dollars[a] || a - b);
  for (const i of largestFirst) {
    if (ids[i] === "~none") continue;
    const liked = likedBy(ids[i]);
    const others = Array.from({ length: COLORS }, (_, step) => (liked + step) % COLORS);
    const color = colorById.get(ids[i]) ?? others.reduce((best, one) => (crowd(one) < crowd(best) ? one : best));
    colorById.set(ids[i], color);
    taken[color] += 1;
  }
}

/** The dollars of each member of a dimension on all days of the page. */
function sizesOf(dimension, ofSeries) {
  const sums = new Float64Array(dimension.ids.length);
  facts.spend[dimension.id].forEach((member, s) => { sums[member] += ofSeries[s]; });
  return sums;
}

function chooseAllColors() {
  const { starts, dollars, billionths, series } = facts.spend;
  const ofSeries = new Float64Array(series);
  for (let s = 0; s < series; s += 1) {
    for (let i = starts[s]; i < starts[s + 1]; i += 1) ofSeries[s] += dollars[i] + billionths[i] / 1e9;
  }
  for (const one of dimensions) chooseColors(one.ids, sizesOf(one, ofSeries));
}

function hueOf(id) {
  if (id === "~none") return "none";
  if (id === "~rest") return "rest";
  return String(colorById.get(id) ?? likedBy(id));
}

const hueClass = (id) => `hue-${hueOf(id)}`;
