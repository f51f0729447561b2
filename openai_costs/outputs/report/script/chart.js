// The chart of a view: its layers, its kind, what is drawn over it, and the readout of one bucket.

const MOST_LAYERS = 8;
const MOST_HEAT_ROWS = 24;
const TWO_LEVELS = 420;
let drawn = null;

/** The largest members, and everything else together. */
function layersOf(view, most) {
  const { result, groups, unit, state } = view;
  const dimension = dimensionOf[state.by];
  const shown = groups.length > most + 1 ? groups.slice(0, most) : groups;
  const layers = shown.map((g) => ({ id: dimension.ids[g], name: dimension.names[g], groups: [g], values: seriesOf(result, unit, [g]) }));
  const rest = groups.slice(shown.length);
  if (rest.length && unit.adds) layers.push({ id: "~rest", name: `Everything else (${rest.length})`, groups: rest, values: seriesOf(result, unit, rest) });
  return layers;
}

function drawChart(view, onPick) {
  const box = byId("drawing");
  const width = Math.max(280, box.clientWidth);
  hideCard();
  const kind = view.state.chart;
  const layers = layersOf(view, kind === "heatmap" ? MOST_HEAT_ROWS : MOST_LAYERS);
  const height = kind === "heatmap" ? layers.length * ROW + 24 : kind === "treemap" && view.state.then ? TWO_LEVELS : HEIGHT;
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": kind === "treemap" || kind === "heatmap" ? "true" : undefined, role: "group", "aria-label": "Chart" });
  drawing.append(hatches());
  if (kind === "treemap") drawn = drawCells(drawing, width, height, view, onPick);
  else if (kind === "heatmap") drawn = drawHeat(drawing, width, view, layers, onPick);
  else drawn = drawTimed(drawing, view, layers, width, onPick);
  box.replaceChildren(drawing);
  caption(view, layers);
}

function drawCells(drawing, width, height, view, onPick) {
  const { state, unit } = view;
  const whole = [{ first: state.range[0], last: state.range[1] }];
  const parts = (cell) => {
    const result = sums({ ...state.filters, [state.by]: [cell.id] }, state.then, whole, unit);
    return cellsOf({ result, groups: ordered(result, (g) => weightOf(result, unit, g)) }, dimensionOf[state.then], unit);
  };
  drawTreemap(drawing, width, height, cellsOf(view, dimensionOf[state.by], unit), onPick, state.then ? parts : null);
  return {};
}

/** A ratio has no parts: its areas are what it is a ratio of. */
function cellsOf({ result, groups }, dimension, unit) {
  return groups.map((g) => ({ id: dimension.ids[g], name: dimension.names[g], value: weightOf(result, unit, g) ?? 0, text: unitText(unit, totalOf(result, unit, [g])) }));
}

function drawHeat(drawing, width, view, layers, onPick) {
  const at = drawHeatmap(drawing, width, layers, view.list, view.state.grain, onPick);
  const reader = heatReader(view, layers, at);
  drawing.addEventListener("click", (event) => {
    if (event.target.closest(".heat") && reader.bucket !== undefined) go(reader.narrowed());
  });
  return reader;
}

function drawTimed(drawing, view, layers, width, onPick) {
  const { state, unit, list } = view;
  const forecast = forecastOf(view);
  const shown = forecast ? [...list, ...buckets([list.at(-1).last + 1, positionOf(forecast.last)], "day")] : list;
  const isStack = state.chart === "bars" && unit.adds;
  const before = view.before && seriesOf(view.before, unit, view.beforeGroups);
  const all = layers.flatMap((layer) => layer.values.map((value) => value ?? 0));
  const tops = isStack ? stacked(layers, list.length, Math.max) : all;
  const lows = isStack ? stacked(layers, list.length, Math.min) : all;
  const budget = unit === UNITS.usd ? ofExactly(source.budgets, state.filters) : undefined;
  const most = Math.max(0, ...tops, ...(before ?? []).map((value) => value ?? 0), forecast?.high ?? 0);
  const limit = budget ? allowance(budget, state.grain) : 0;
  const at = frame(width, shown.length, Math.min(0, ...lows), limit < 2.5 * most ? Math.max(most, limit) : most);
  drawStates(drawing, at, list);
  drawAxes(drawing, at, unit, shown, state.grain);
  if (isStack) drawBars(drawing, at, layers, onPick);
  else drawLines(drawing, at, layers, onPick);
  if (before) drawBefore(drawing, at, before);
  if (forecast) drawForecast(drawing, at, shown, forecast);
  if (budget) drawBudget(drawing, at, budget, state.grain);
  drawing.append(svg("rect", { class: "here", y: EDGE.top, height: HEIGHT - EDGE.top - EDGE.bottom, width: at.step, visibility: "hidden" }));
  drawFlags(drawing, at, flagsIn(state, list));
  return timeReader(view, layers, at, { before, forecast });
}

function stacked(layers, count, pick) {
  return Array.from({ length: count }, (_, b) => layers.reduce((sum, layer) => sum + pick(0, layer.values[b] ?? 0), 0));
}

/** The forecast of exactly what is in view, where that is dollars by day through the newest day. */
function forecastOf({ state, unit, list }) {
  const isNewest = list.at(-1).last === lastPosition();
  if (!isNewest || unit !== UNITS.usd || state.grain !== "day") return undefined;
  const one = ofExactly(source.forecasts, state.filters);
  return one && positionOf(one.last) > lastPosition() ? one : undefined;
}

function hatches() {
  const hatch = (id, className) => svg("pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, svg("rect", { width: 6, height: 6, class: `${className}-ground` }), svg("line", { x1: 0, y1: 0, x2: 0, y2: 6, class: className }));
  return svg("defs", {}, hatch("hatch-none", "hatch-none"), hatch("hatch-provisional", "hatch-provisional"));
}

function caption(view, layers) {
  const named = (id) => dimensionOf[id].title.toLowerCase().replace("api", "API");
  const { state, unit } = view;
  const words = [`${unit.title}${unit.about ? ` (${unit.about})` : ""}, ${spanText(...state.range)}, by ${named(state.by)}${state.then && state.chart === "treemap" ? `, then by ${named(state.then)}` : ""}.`];
  const letters = lettersOf(state.range);
  if (state.chart === "bars" || state.chart === "lines") {
    if (state.chart === "bars" && !unit.adds) words.push("Shares do not add up, so that they are lines.");
    if (letters.includes("p")) words.push("Hatched days are provisional.");
    if (letters.includes("m")) words.push("Shaded days are missing: they are not zero.");
    if (view.before) words.push(`The thin line is ${spanText(...view.compared)}.`);
    if (drawn.forecast) words.push("Light band: forecast of an average day, 80 % range.");
  }
  if (state.chart === "heatmap") words.push("Darker is more; a step is a sixth of the square root of the largest cell.");
  if (state.chart === "treemap") words.push("What is below zero has no area.");
  const hidden = view.groups.length - layers.reduce((sum, layer) => sum + layer.groups.length, 0);
  if (hidden > 0 && state.chart !== "treemap") words.push(`${hidden} smaller ones are in the table only.`);
  byId("caption").textContent = words.join(" ");
}

/** The mark of what is read, at a place: there is none before something is. */
function showHere(place) {
  const mark = byId("drawing").querySelector(".here");
  for (const [name, value] of Object.entries({ ...place, visibility: "visible" })) mark.setAttribute(name, value);
}

/** How bars and lines are read, by pointer and arrows, and narrowed to a bucket. */
function timeReader(view, layers, at, { before, forecast }) {
  const { list, state } = view;
  const reader = { forecast };
  const read = (b) => {
    if (b < 0 || b >= list.length) return;
    reader.bucket = b;
    showHere({ x: at.x(b) });
    byId("readout").textContent = readoutOf(view, layers, b, before);
  };
  return Object.assign(reader, {
    readAt: (x) => read(at.bucketAt(x)),
    move: (across) => read(Math.min(list.length - 1, Math.max(0, (reader.bucket ?? -1) + across))),
    narrowed: () => ({ ...state, range: [list[reader.bucket].first, list[reader.bucket].last] }),
  });
}

/** The readout of a bucket: its total and largest members. */
function readoutOf(view, layers, b, before) {
  const { unit, list, groups, result } = view;
  const total = seriesOf(result, unit, groups)[b];
  const parts = layers
    .map((layer) => ({ layer, value: layer.values[b] }))
    .filter((one) => one.value)
    .sort((a, c) => Math.abs(c.value) - Math.abs(a.value))
    .slice(0, 4)
    .map((one) => `${one.layer.name} ${unitText(unit, one.value)}`);
  const letters = lettersOf([list[b].first, list[b].last]);
  const mark = letters.includes("m") ? ", missing" : letters.includes("p") ? ", provisional" : "";
  const then = before && b < before.length ? `; then ${unitText(unit, before[b])}` : "";
  return `${list[b].label}${mark}: ${unitText(unit, total)}${then}${parts.length ? ` (${parts.join(", ")})` : ""}`;
}
