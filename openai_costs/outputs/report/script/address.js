// The address is the state: #by=model&then=user&from=2026-10-01&to=2026-10-31&unit=usd&...
// Every dimension is a key with ids joined by commas; ~none is "none of them".

const UNIT_IDS = ["usd", "tokens", "requests", "usd_per_million", "cache_share", "batch_share"];
const COMPARES = { none: "Nothing", previous: "Days before", last_month: "Last month", last_year: "Last year" };
const CHARTS = { bars: "Bars", lines: "Lines", treemap: "Treemap", heatmap: "Heat map" };

/** The columns a table is sorted by: the largest first, or with ".up" behind it the smallest. */
const SORTS = ["name", "usd", "share", "now", "then", "change", "percent", "tokens", "requests", "price", "cache", "batch"];

const BROKEN_DOWN_BY = {
  user: "model", api_key: "model", project: "user", team: "user", model: "user",
  usage_type: "model", service_tier: "model", connection: "team", provider: "model",
};

function oneOf(value, known, usual) {
  return known.includes(value) ? value : usual;
}

/** The state of an address; what it does not say is not restricted. */
function stateOf(hash) {
  const given = new Map();
  for (const part of hash.replace(/^#/, "").split("&")) {
    const at = part.indexOf("=");
    if (at > 0) given.set(part.slice(0, at), part.slice(at + 1));
  }
  const text = (key) => plain(given.get(key) ?? "");
  const ids = dimensions.map((one) => one.id);
  const by = oneOf(text("by"), ids, usualGroup());
  const then = oneOf(text("then"), ids, "");
  return {
    by,
    then: then === by ? "" : then,
    range: rangeOf(text("from"), text("to")),
    isCut: askedRange(text("from"), text("to")).some((position) => position < 0 || position > lastPosition()),
    unit: oneOf(text("unit"), UNIT_IDS, "usd"),
    grain: oneOf(text("grain"), Object.keys(GRAINS), "day"),
    compare: oneOf(text("compare"), Object.keys(COMPARES), "none"),
    chart: oneOf(text("chart"), Object.keys(CHARTS), "bars"),
    sort: oneOf(text("sort"), SORTS.flatMap((id) => [id, `${id}.up`]), ""),
    filters: Object.fromEntries(
      ids.filter((id) => given.has(id)).map((id) => [id, given.get(id).split(",").map(plain).filter(Boolean)]),
    ),
  };
}

function plain(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The days from one to another that the page has, or as they were asked for where it has none of them. */
function rangeOf(from, to) {
  const range = askedRange(from, to);
  return isOfPage(range) ? range.map((position) => Math.min(Math.max(position, 0), lastPosition())) : range;
}

/** What is no day is not restricted: the first or the last day of the page, or the other one beyond it. */
function askedRange(from, to) {
  const [first, last] = [positionOf(from), positionOf(to)];
  const range = [Number.isNaN(first) ? Math.min(0, last || 0) : first, Number.isNaN(last) ? Math.max(lastPosition(), first || 0) : last];
  return range[0] <= range[1] ? range : range.reverse();
}

function usualGroup() {
  return ["team", "user", "project", "model"].find(isVaried) ?? "model";
}

/** The view without an address: the last 30 days. */
function usualState() {
  const state = stateOf("");
  state.range = [Math.max(0, lastPosition() - 29), lastPosition()];
  return state;
}

function addressOf(state) {
  const parts = [["by", state.by]];
  if (state.then) parts.push(["then", state.then]);
  parts.push(["from", isoAt(state.range[0])], ["to", isoAt(state.range[1])]);
  if (state.unit !== "usd") parts.push(["unit", state.unit]);
  if (state.grain !== "day") parts.push(["grain", state.grain]);
  if (state.compare !== "none") parts.push(["compare", state.compare]);
  if (state.chart !== "bars") parts.push(["chart", state.chart]);
  if (state.sort) parts.push(["sort", state.sort]);
  for (const [id, values] of Object.entries(state.filters)) {
    if (values.length) parts.push([id, values.map(encodeURIComponent).join(",")]);
  }
  return `#${parts.map(([key, value]) => `${key}=${value}`).join("&")}`;
}

/** The state that shows one member of a dimension, grouped by what explains it. */
function narrowed(state, dimension, id) {
  const filters = { ...state.filters, [dimension]: [id] };
  const by = state.by !== dimension ? state.by : state.then || next(dimension, filters);
  return { ...state, filters, by, then: state.by === dimension ? "" : state.then };
}

/** The state that shows one member of the first dimension and one of the second. */
function narrowedTwice(state, id, part) {
  const one = narrowed(state, state.by, id);
  return { ...one, filters: { ...one.filters, [state.then]: [part] } };
}

function next(dimension, filters) {
  const isOpen = (id) => id !== dimension && (filters[id] ?? []).length !== 1;
  const wished = BROKEN_DOWN_BY[dimension];
  if (isOpen(wished) && isVaried(wished)) return wished;
  return ["user", "model", "api_key", "project", "usage_type", "team"].find((id) => isOpen(id) && isVaried(id)) ?? wished;
}
