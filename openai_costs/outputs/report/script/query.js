// Adding up: which rows are in view, and their sums by member and bucket. Exact for dollars.

/** 1 for each series that every filter lets through; one dimension may be left aside. */
function kept(table, filters, aside = "") {
  const keep = new Uint8Array(table.series).fill(1);
  for (const [id, values] of Object.entries(filters)) {
    if (id === aside || !values.length) continue;
    const codes = new Set(values.map((value) => dimensionOf[id].position.get(value)));
    const column = table[id];
    for (let s = 0; s < keep.length; s += 1) if (!codes.has(column[s])) keep[s] = 0;
  }
  return keep;
}

/** The position of each of the page's days among buckets; -1 outside of them. */
function bucketOfDays(list) {
  const of = new Int32Array(lastPosition() + 1).fill(-1);
  list.forEach((bucket, b) => {
    for (let day = bucket.first; day <= bucket.last; day += 1) if (day >= 0) of[day] = b;
  });
  return of;
}

/**
 * The sums of a view: dollars exactly, and every count, by member of a dimension, and by bucket.
 * Each array has a place per member; `series` has one per member and bucket.
 */
function sums(filters, by, list) {
  const size = dimensionOf[by].ids.length;
  const of = bucketOfDays(list);
  return { size, count: list.length, spend: spent(filters, by, of, size, list.length), usage: used(filters, by, of, size, list.length) };
}

function spent(filters, by, of, size, count) {
  const table = facts.spend;
  const { rows, days, dollars, billionths, quintillionths, near } = table;
  const keep = kept(table, filters);
  const group = table[by];
  const isToken = tokenSeries(table);
  const whole = new Float64Array(size);
  const parts = new Float64Array(size);
  const rest = new Float64Array(size);
  const lines = new Uint32Array(size);
  const tokenDollars = new Float64Array(size);
  const series = new Float64Array(size * count);
  const tokenDollarSeries = new Float64Array(size * count);
  for (let i = 0; i < rows.length; i += 1) {
    const s = rows[i];
    if (!keep[s]) continue;
    const b = of[days[i]];
    if (b < 0) continue;
    const g = group[s];
    whole[g] += dollars[i];
    parts[g] += billionths[i];
    rest[g] += quintillionths[i];
    lines[g] += 1;
    series[g * count + b] += near[i];
    if (isToken[s]) {
      tokenDollars[g] += near[i];
      tokenDollarSeries[g * count + b] += near[i];
    }
  }
  const usd = Array.from(whole, (value, g) => (lines[g] ? exact(value, parts[g], rest[g]) : 0n));
  return { usd, lines, series, tokenDollars, tokenDollarSeries };
}

function used(filters, by, of, size, count) {
  const table = facts.usage;
  const { rows, days, tokens, cacheable, requests } = table;
  const keep = kept(table, filters);
  const group = table[by];
  const kind = kinds(table);
  const made = () => [new Float64Array(size), new Float64Array(size * count)];
  const measures = { tokens: made(), requests: made(), cached: made(), input: made(), batch: made() };
  const add = (name, g, b, value) => {
    measures[name][0][g] += value;
    measures[name][1][g * count + b] += value;
  };
  for (let i = 0; i < rows.length; i += 1) {
    const s = rows[i];
    if (!keep[s]) continue;
    const b = of[days[i]];
    if (b < 0) continue;
    const g = group[s];
    if (requests[i]) add("requests", g, b, requests[i]);
    if (!tokens[i]) continue;
    add("tokens", g, b, tokens[i]);
    if (cacheable[i]) add("input", g, b, cacheable[i]);
    if (kind.cached[s]) add("cached", g, b, tokens[i]);
    if (kind.batch[s]) add("batch", g, b, tokens[i]);
  }
  return measures;
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
  for (let g = 0; g < result.size; g += 1) {
    const has = result.spend.lines[g] || result.usage.tokens[0][g] || result.usage.requests[0][g];
    if (has) list.push(g);
  }
  return list.sort((a, b) => Math.abs(value(b) ?? 0) - Math.abs(value(a) ?? 0) || b - a);
}
