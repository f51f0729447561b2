// The tables: cells arrive formatted; only the trend line is drawn here.

const trend = (cents, first, last) => {
  const svg = shape("svg", { viewBox: "0 0 76 18", "aria-hidden": "true" });
  const known = [];
  for (let i = first; i <= last; i++) if ("sp".includes(view().states[i])) known.push(i);
  const values = known.map((i) => cents[i]);
  const low = Math.min(0, ...values), high = Math.max(1, ...values);
  const x = (i) => (last > first ? 1 + 72 * (i - first) / (last - first) : 73).toFixed(1);
  const y = (i) => (16 - 14 * (cents[i] - low) / (high - low)).toFixed(1);
  const path = known.map((i, n) => (n && known[n - 1] === i - 1 ? "L" : "M") + x(i) + " " + y(i)).join("");
  if (known.length < 2 || !values.some(Boolean)) return "";
  svg.append(shape("path", { d: path }));
  svg.append(shape("circle", { cx: x(known.at(-1)), cy: y(known.at(-1)), r: 1.7 }));
  return svg;
};
const fillTable = (table) => {
  const dimension = Number(table.dataset.dimension);
  const { first, last, rankings } = period();
  const rows = rankings[dimension];
  const total = daily(dimension, null);
  const series = rows.map(([member]) => (member === REST ? null : daily(dimension, member)));
  const body = rows.map(([member, name, ...cells], i) => {
    const isTotal = i === rows.length - 1;
    const row = element("tr", undefined, isTotal ? "total" : member === REST ? "rest" : "");
    const head = element("th", name);
    head.scope = "row";
    head.title = name;
    row.append(head, ...cells.map((cell) => element("td", cell)));
    const line = series[i] || (isTotal ? total : without(total, series.filter(Boolean)));
    const cell = element("td", undefined, "trend");
    cell.append(trend(line, first, last));
    row.append(cell);
    return row;
  });
  table.tBodies[0].replaceChildren(...body);
};
