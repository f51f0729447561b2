// Dollars: exact sums as BigInt in units of the 18th decimal, and how they are written.
// Not here: adding up rows (query.js).

const BILLION = 1_000_000_000n;
const DOLLAR = BILLION * BILLION;
const CENT = DOLLAR / 100n;
const NONE = "\u2013";

/** Units from whole dollars, billionths, and billionths of those: sums of whole numbers below 2^53. */
function exact(dollars, billionths, rest) {
  return BigInt(dollars) * DOLLAR + BigInt(billionths) * BILLION + BigInt(rest);
}

/** Decimal text with two decimals at least and every digit that there is: "10599.08810568". */
function decimal(units) {
  const size = units < 0n ? -units : units;
  const digits = (size % DOLLAR).toString().padStart(18, "0").replace(/0+$/, "").padEnd(2, "0");
  return `${units < 0n ? "-" : ""}${size / DOLLAR}.${digits}`;
}

/** A quotient, rounded half to even as on the rest of the page; the divisor is above zero. */
function rounded(units, by) {
  const size = units < 0n ? -units : units;
  let whole = size / by;
  const twice = (size % by) * 2n;
  if (twice > by || (twice === by && whole % 2n === 1n)) whole += 1n;
  return units < 0n ? -whole : whole;
}

const cents = (units) => rounded(units, CENT);

/** Cents of each part, so that they add up to the shown total: the cents of the exact sum, or next to it. */
function sharedCents(parts, total = cents(parts.reduce((sum, units) => sum + units, 0n))) {
  const cut = parts.map((units) => {
    const whole = units / CENT;
    return units < 0n && units % CENT !== 0n ? whole - 1n : whole;
  });
  let left = Number(total - cut.reduce((sum, one) => sum + one, 0n));
  const order = parts.map((units, i) => [units - cut[i] * CENT, i]);
  order.sort((a, b) => (a[0] === b[0] ? a[1] - b[1] : a[0] < b[0] ? 1 : -1));
  for (const [, i] of order) {
    if (left <= 0) break;
    cut[i] += 1n;
    left -= 1;
  }
  return cut;
}

/** Tenths of a percent as "12.3 %". */
function percentText(tenths) {
  const size = tenths < 0n ? -tenths : tenths;
  return `${tenths < 0n ? "-" : ""}${size / 10n}.${size % 10n} %`;
}

function grouped(text) {
  return text.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** Cents as "1,234.56"; with a dollar sign where the head of the column has none. */
function amount(value, sign = "") {
  const size = value < 0n ? -value : value;
  return `${value < 0n ? "-" : ""}${sign}${grouped((size / 100n).toString())}.${(size % 100n).toString().padStart(2, "0")}`;
}

function dollarText(units) {
  return amount(cents(units), "$");
}

function signedText(value, sign = "") {
  return `${value > 0n ? "+" : ""}${amount(value, sign)}`;
}
