// Units: what a number of the chart is, of one member or of all, in total or in one bucket.
// A share is undefined where there is nothing to share; that is a dash and never a zero.

const near = (units) => Number(units / BILLION) / 1e9;
/** Tokens whose dollars the bill has elsewhere have no price, and not the price 0. */
const rate = (unit, part, whole) => (whole && (part || unit.percent) ? (part * unit.times) / whole : undefined);
const some = (value) => (value ? value : undefined);

const UNITS = {
  usd: { title: "Dollars", short: "USD", of: "usd" },
  tokens: { title: "Tokens", short: "tokens", of: "tokens" },
  requests: { title: "Requests", short: "requests", of: "requests" },
  usd_per_million: {
    title: "$ per 1M tokens", short: "USD per 1M tokens", of: "tokenUsd", by: "tokens", times: 1e6,
    about: "Dollars billed for tokens, by a million tokens of the usage report",
  },
  cache_share: {
    title: "Cache hits", short: "% of input tokens", of: "cached", by: "input", times: 100, percent: true,
    about: "Input tokens read from the cache, as a share of all input tokens",
  },
  batch_share: {
    title: "Batch share", short: "% of tokens", of: "batch", by: "tokens", times: 100, percent: true,
    about: "Tokens of the batch tier, as a share of all tokens",
  },
};

for (const unit of Object.values(UNITS)) {
  unit.adds = !unit.by;
  unit.needs = unit.adds ? [unit.of] : [unit.of, unit.by];
}

/** The number of some members together, in total. */
function totalOf(result, unit, groups) {
  if (unit === UNITS.usd) return near(usdSum(result, groups));
  const summed = (name) => groups.reduce((sum, g) => sum + result.totals[name][g], 0);
  return unit.adds ? some(summed(unit.of)) : rate(unit, summed(unit.of), summed(unit.by));
}

/** The sums of some members together, in each bucket. */
function bucketSums(result, name, groups) {
  const { count, series } = result;
  const values = series[name];
  const sum = new Float64Array(count);
  for (const g of groups) for (let b = 0, i = g * count; b < count; b += 1, i += 1) sum[b] += values[i];
  return sum;
}

/** The number of some members together, in each bucket. */
function seriesOf(result, unit, groups) {
  const values = Array.from(bucketSums(result, unit.of, groups));
  if (unit.adds) return values;
  const whole = bucketSums(result, unit.by, groups);
  return values.map((value, b) => rate(unit, value, whole[b]));
}

/** What members are ordered by: a share by what it is a share of. */
const weightOf = (result, unit, g) => (unit.by ? result.totals[unit.by][g] : totalOf(result, unit, [g]));

const usdSum = (result, groups) => groups.reduce((sum, g) => sum + result.usd[g], 0n);

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
  return whole > 0n ? percentText(rounded(part * 1000n, whole)) : NONE;
}

function changeText(now, before) {
  if (before <= 0n) return now && !before ? "new" : NONE;
  const tenths = rounded((now - before) * 1000n, before);
  const sign = tenths > 0n ? "+" : "";
  return sign + (tenths >= 10_000n || tenths <= -10_000n ? `${grouped(rounded(tenths, 10n).toString())} %` : percentText(tenths));
}
