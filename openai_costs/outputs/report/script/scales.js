// What the chart stacks, and its two axes.

const layers = () => {
  const rows = period().rankings[chosen.dimension];
  const named = rows.slice(0, -1).filter(([member]) => member !== REST);
  const shown = named.slice(0, COLOURS).map(([member, name, usd], i) => (
    { name, colour: "c" + i, cents: daily(chosen.dimension, member), whole: cents(usd) }));
  const total = daily(chosen.dimension, null), whole = cents(rows.at(-1)[2]);
  const rest = without(total, shown.map((each) => each.cents));
  const left = shown.reduce((sum, each) => sum - each.whole, whole);
  const hasRest = left !== 0 || rest.slice(period().first).some(Boolean);
  return { total, whole, parts: hasRest ? [...shown, { name: "Everything else", colour: "c7", cents: rest, whole: left }] : shown };
};
const ticks = (low, high) => {
  const rough = Math.max(high - low, 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((n) => n >= rough);
  const found = [];
  for (let at = Math.floor(low / step); at * step < high + step; at++) found.push(at * step);
  return found;
};
const axisMoney = (cents, step) => {
  const text = (Math.abs(cents) / 100).toFixed(step % 100 ? 2 : 0).replace(/\B(?=(\d{3})+(\.|$))/g, ",");
  return (cents < 0 ? "-$" : "$") + text;
};
const extent = (parts, first, last) => {
  let low = 0, high = 0;
  for (let i = first; i <= last; i++) {
    let up = 0, down = 0;
    for (const { cents } of parts) { if (cents[i] > 0) up += cents[i]; else down += cents[i]; }
    low = Math.min(low, down);
    high = Math.max(high, up);
  }
  return [low, high];
};
const dayLabels = (first, last, perDay) => {
  const byMonth = last - first > 62;
  const labels = [];
  let before = -Infinity;
  for (let i = first; i <= last; i++) {
    const day = date(i);
    const wanted = byMonth ? day.getUTCDate() === 1 : (last - i) % 7 === 0;
    if (!wanted || (i - before) * perDay < 46) continue;
    const month = MONTHS[day.getUTCMonth()];
    const year = byMonth && (!labels.length || day.getUTCMonth() === 0) ? " " + day.getUTCFullYear() : "";
    labels.push([i, byMonth ? month + year : day.getUTCDate() + " " + month]);
    before = i;
  }
  return labels;
};
