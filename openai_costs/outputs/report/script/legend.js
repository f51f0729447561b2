// Beside the chart: its members in dollars, for the period or for one day; and the same as a table.

const fillLegend = () => {
  const { parts, total, isZero } = chart;
  const i = chosen.day;
  const value = (part) => (i === null ? part.whole : part.cents[i]);
  const isMissing = i !== null && isUnread(i, total);
  const when = i === null ? period().title : iso(i) + ", " + stateOf(i, total);
  $("readout").replaceChildren(isMissing ? "No data" : money(value({ whole: chart.whole, cents: total })), element("small", when));
  $("legend").replaceChildren(...(isZero ? [] : parts).map((part) => {
    const { name, colour } = part;
    const item = element("li");
    const swatch = shape("svg", { viewBox: "0 0 10 10", "aria-hidden": "true" });
    swatch.append(shape("rect", { class: colour, width: 10, height: 10, rx: 2 }));
    const label = element("span", name);
    label.title = name;
    item.append(swatch, label, element("span", isMissing ? "\u2013" : money(value(part))));
    return item;
  }));
};
const fillDays = () => {
  if (!$("days").open) return;
  const { first, last, parts, total } = chart;
  const table = element("table");
  const head = element("tr");
  for (const name of ["Day", "State", "Total, USD", ...parts.map((part) => part.name)]) {
    const cell = element("th", name);
    cell.scope = "col";
    head.append(cell);
  }
  table.createTHead().append(head);
  const body = table.createTBody();
  for (let i = last; i >= first; i--) {
    const row = body.insertRow();
    const day = element("th", iso(i));
    day.scope = "row";
    const isMissing = isUnread(i, total);
    const cells = [total, ...parts.map((part) => part.cents)].map((cents) => (isMissing ? "\u2013" : money(cents[i]).replace("$", "")));
    row.append(day, ...[stateOf(i, total), ...cells].map((text) => element("td", text)));
  }
  $("days-table").replaceChildren(table);
};
