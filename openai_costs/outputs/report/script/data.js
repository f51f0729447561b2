// The embedded data of the page; names go in as text, never as markup.

const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const COLOURS = 7;
const REST = -1;
const DAY_MS = 86400000;
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const STATES = { s: "settled", p: "provisional", m: "missing, not zero", "-": "before the connection's first day" };
const day0 = data.first ? Date.parse(data.first + "T00:00:00Z") : 0;
const chosen = { view: 0, dimension: 0, period: "30", day: null };

const date = (i) => new Date(day0 + i * DAY_MS);
const iso = (i) => date(i).toISOString().slice(0, 10);
const money = (cents) => {
  const whole = String(Math.floor(Math.abs(cents) / 100)).replace(/\B(?=(\d{3})+$)/g, ",");
  return (cents < 0 ? "-$" : "$") + whole + "." + String(Math.abs(cents) % 100).padStart(2, "0");
};
// A formatted amount back to cents: the legend repeats the table's numbers, to the cent.
const cents = (text) => Number(text.replace(/\D/g, "")) * (text.startsWith("-") ? -1 : 1);
const element = (tag, text, name) => {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (name) made.className = name;
  return made;
};
const shape = (tag, attributes, text) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
};

const unpacked = new Map();
const unpack = (text) => {
  if (!unpacked.has(text)) {
    const cents = new Array(data.days).fill(0);
    text.split(",").forEach((digits, i) => { if (digits) cents[i] = parseInt(digits, 36); });
    unpacked.set(text, cents);
  }
  return unpacked.get(text);
};
const view = () => data.views[chosen.view];
const period = () => view().periods.find((each) => each.id === chosen.period) || view().periods.at(-1);
const daily = (dimension, member) => {
  const sum = new Array(data.days).fill(0);
  for (const connection of view().connections) {
    const series = data.series[connection][dimension];
    const text = member === null ? series.total : series.members[member];
    if (text) unpack(text).forEach((cents, i) => { sum[i] += cents; });
  }
  return sum;
};
const without = (total, parts) => total.map((cents, i) => parts.reduce((left, part) => left - part[i], cents));

const isUnread = (i, total) => "m-".includes(view().states[i]) && total[i] === 0;
const stateOf = (i, total) => {
  const isPart = view().states[i] === "m" && total[i] !== 0;
  return isPart ? "missing for at least one connection" : STATES[view().states[i]];
};
