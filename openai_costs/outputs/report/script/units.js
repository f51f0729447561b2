// Units: what a number of the chart is, of one member or of all, in total or in one bucket.
// A share is undefined where there is nothing to share; that is a dash and never a zero.

const near = (units) => Number(units / BILLION) / 1e9;
const ratio = (part, whole) => (whole ? part / whole : undefined);
const some = (value) => (value ? value : undefined);

const UNITS = {
  usd: {
    title: "Dollars", short: "USD", adds: true,
    total: (r, g) => near(r.spend.usd[g]),
    at: (r, i) => r.spend.series[i],
  },
  tokens: {
    title: "Tokens", short: "tokens", adds: true,
    total: (r, g) => some(r.usage.tokens[0][g]),
    at: (r, i) => r.usage.tokens[1][i],
  },
  requests: {
    title: "Requests", short: "requests", adds: true,
    total: (r, g) => some(r.usage.requests[0][g]),
    at: (r, i) => r.usage.requests[1][i],
  },
  usd_per_million: {
    title: "$ per 1M tokens", short: "USD per 1M tokens", adds: false,
    about: "Dollars billed for tokens, by a million tokens of the usage report",
    parts: (r, i, series) =>
      series ? [r.spend.tokenDollarSeries[i] * 1e6, r.usage.tokens[1][i]] : [r.spend.tokenDollars[i] * 1e6, r.usage.tokens[0][i]],
  },
  cache_share: {
    title: "Cache hits", short: "% of input tokens", adds: false, percent: true,
    about: "Input tokens read from the cache, as a share of all input tokens",
    parts: (r, i, series) => [100 * r.usage.cached[series ? 1 : 0][i], r.usage.input[series ? 1 : 0][i]],
  },
  batch_share: {
    title: "Batch share", short: "% of tokens", adds: false, percent: true,
    about: "Tokens of the batch tier, as a share of all tokens",
    parts: (r, i, series) => [100 * r.usage.batch[series ? 1 : 0][i], r.usage.tokens[series ? 1 : 0][i]],
  },
};

for (const unit of Object.values(UNITS)) {
  if (!unit.parts) continue;
  unit.weight = (r, g) => unit.parts(r, g, false)[1];
  unit.total = (r, g) => ratio(...unit.parts(r, g, false));
  unit.at = (r, i) => ratio(...unit.parts(r, i, true));
}

/** The number of all members together, in total. */
function totalOf(result, unit, groups) {
  if (groups.length === 1) return unit.total(result, groups[0]);
  if (unit.adds) return groups.reduce((sum, g) => sum + (unit.total(result, g) ?? 0), 0);
  const both = groups.map((g) => unit.parts(result, g, false));
  return ratio(both.reduce((sum, one) => sum + one[0], 0), both.reduce((sum, one) => sum + one[1], 0));
}

/** The number of some members together, in each bucket. */
function seriesOf(result, unit, groups) {
  if (unit === UNITS.usd && groups.length === 1) return Array.from(result.spend.series.subarray(groups[0] * result.count, (groups[0] + 1) * result.count));
  return Array.from({ length: result.count }, (_, b) => {
    if (unit.adds) return groups.reduce((sum, g) => sum + (unit.at(result, g * result.count + b) ?? 0), 0);
    const both = groups.map((g) => unit.parts(result, g * result.count + b, true));
    return ratio(both.reduce((sum, one) => sum + one[0], 0), both.reduce((sum, one) => sum + one[1], 0));
  });
}

const usdSum = (result, groups) => groups.reduce((sum, g) => sum + result.spend.usd[g], 0n);

function countText(value) {
  return value === undefined ? NONE : grouped(Math.round(value).toString());
}

function unitText(unit, value) {
  if (value === undefined) return NONE;
  if (unit.percent) return `${value.toFixed(1)} %`;
  if (unit === UNITS.usd || unit === UNITS.usd_per_million) return `${value < 0 ? "-" : ""}$${grouped(Math.abs(value).toFixed(2))}`;
  return countText(value);
}

/** A number for an axis: 1.2k, 3.4M. */
function axisText(unit, value) {
  const size = Math.abs(value);
  const [by, mark] = size >= 1e12 ? [1e12, "T"] : size >= 1e9 ? [1e9, "B"] : size >= 1e6 ? [1e6, "M"] : size >= 1e4 ? [1e3, "k"] : [1, ""];
  const scaled = value / by;
  const digits = size && Math.abs(scaled) < 10 && scaled % 1 ? (Math.abs(scaled) < 1 ? 2 : 1) : 0;
  const text = grouped(scaled.toFixed(digits)) + mark;
  if (unit.percent) return `${text} %`;
  return unit === UNITS.usd || unit === UNITS.usd_per_million ? text.replace(/^(-?)/, "$1$") : text;
}

function shareText(part, whole) {
  return whole > 0n ? `${(Number((part * 100_000n) / whole) / 1000).toFixed(1)} %` : NONE;
}

function changeText(now, before) {
  if (before <= 0n) return now && !before ? "new" : NONE;
  const percent = Number(((now - before) * 100_000n) / before) / 1000;
  return `${percent > 0 ? "+" : ""}${Math.abs(percent) >= 1000 ? grouped(percent.toFixed(0)) : percent.toFixed(1)} %`;
}
