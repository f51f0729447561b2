// Adding up: which rows are in view, and their sums by member and bucket. Exact for dollars.

/** 1 for each series that every filter lets through. */
function kept(table, filters) {
  const keep = new Uint8Array(table.series).fill(1);
  for (const [id, values] of Object.entries(filters)) {
    if (!values.length) continue;
    const passes = new Uint8Array(dimensionOf[id].ids.length);
    for (const value of values) if (dimensionOf[id].position.has(value)) passes[dimensionOf[id].position.get(value)] = 1;
    const column = table[id];
    for (let s = 0; s < keep.length; s += 1) keep[s] &= passes[column[s]];
  }
  return keep;
}

/** The first row of a series, from one of its rows on, that is not before a day. */
function rowFrom(days, start, end, day) {
  let [low, high] = [start, end];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (days[middle] < day) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Calls back for each series in view, with its rows in the days of the view. */
function eachSeries(table, filters, list, take) {
  const keep = kept(table, filters);
  const [first, last] = list.length ? [list[0].first, list.at(-1).last] : [0, -1];
  const { starts, day } = table;
  for (let s = 0; s < keep.length; s += 1) {
    if (!keep[s]) continue;
    const start = rowFrom(day, starts[s], starts[s + 1], first);
    const end = rowFrom(day, start, starts[s + 1], last + 1);
    if (start < end) take(s, start, end);
  }
}

/** The position of each of the page's days among buckets. */
function bucketOfDays(list) {
  const of = new Int32Array(lastPosition() + 1);
  list.forEach((bucket, b) => of.fill(b, Math.max(0, bucket.first), bucket.last + 1));
  return of;
}

const COUNTS = ["tokenUsd", "tokens", "requests", "cached", "input", "batch"];

/**
 * The sums of a view: dollars exactly, and every count, by member of a dimension, and by bucket.
 * Each array has a place per member; those of `series`, a place per member and bucket: dollars, and
 * what the unit needs.
 */
function sums(filters, by, list, unit = UNITS.usd) {
  const size = dimensionOf[by].ids.length;
  const result = { size, count: list.length, lines: new Uint32Array(size), totals: {}, series: {} };
  for (const name of COUNTS) result.totals[name] = new Float64Array(size);
  for (const name of ["usd", ...unit.needs]) result.series[name] = new Float64Array(size * list.length);
  const of = bucketOfDays(list);
  spent(result, filters, by, list, of);
  used(result, filters, by, list, of);
  return result;
}

function spent(result, filters, by, list, of) {
  const table = facts.spend;
  const { day, dollars, billionths, quintillionths } = table;
  const [whole, parts, rest] = [0, 1, 2].map(() => new Float64Array(result.size));
  const { lines, totals, series, count } = result;
  const isToken = tokenSeries(table);
  eachSeries(table, filters, list, (s, start, end) => {
    const g = table[by][s];
    const at = g * count;
    const ofTokens = isToken[s] ? series.tokenUsd : undefined;
    let [a, b, c] = [0, 0, 0];
    for (let i = start; i < end; i += 1) {
      const place = at + of[day[i]];
      const usd = dollars[i] + billionths[i] / 1e9; // for the height of a bar only
      a += dollars[i];
      b += billionths[i];
      c += quintillionths[i];
      series.usd[place] += usd;
      if (ofTokens) ofTokens[place] += usd;
    }
    whole[g] += a;
    parts[g] += b;
    rest[g] += c;
    lines[g] += end - start;
    if (isToken[s]) totals.tokenUsd[g] += a + b / 1e9;
  });
  result.usd = Array.from(whole, (value, g) => (lines[g] ? exact(value, parts[g], rest[g]) : 0n));
}

function used(result, filters, by, list, of) {
  const table = facts.usage;
  const { day, tokens, cacheable, requests } = table;
  const { totals, series, count } = result;
  const kind = kinds(table);
  const add = (name, values, g, start, end) => {
    let sum = 0;
    for (let i = start; i < end; i += 1) sum += values[i];
    totals[name][g] += sum;
    const here = series[name];
    if (here && sum) for (let i = start; i < end; i += 1) here[g * count + of[day[i]]] += values[i];
  };
  eachSeries(table, filters, list, (s, start, end) => {
    const g = table[by][s];
    add("requests", requests, g, start, end);
    add("tokens", tokens, g, start, end);
    add("input", cacheable, g, start, end);
    if (kind.cached[s]) add("cached", tokens, g, start, end);
    if (kind.batch[s]) add("batch", tokens, g, start, end);
  });
}

function marked(table, dimension, ids) {
  const codes = new Set(ids.map((id) => dimensionOf[dimension].position.get(id)));
  return Uint8Array.from(table[dimension], (code) => (codes.has(code) ? 1 : 0));
}

function tokenSeries(table) {
  table.isToken ??= marked(table, "usage_type", source.tokenTypes);
  return table.isToken;
}

function kinds(table) {
  table.kinds ??= {
    cached: marked(table, "usage_type", ["cached_input"]),
    batch: marked(table, "service_tier", ["batch"]),
  };
  return table.kinds;
}

/** The members that have anything, the largest first; none of them last among equals. */
function ordered(result, value) {
  const list = [];
  for (let g = 0; g < result.size; g += 1) if (result.lines[g] || result.totals.tokens[g] || result.totals.requests[g]) list.push([Math.abs(value(g) ?? 0), g]);
  return list.sort((a, b) => b[0] - a[0] || b[1] - a[1]).map((one) => one[1]);
}
