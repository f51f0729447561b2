// The rows of the table: made once, filled anew by each view, which is much faster than making them.
// A row opens to its parts where a second dimension is chosen.

const MOST_POINTS = 60;
let shells = { of: "", rows: [] };

function drawRows(body, rows, columns, view) {
  const of = columns.map(columnClass).join();
  if (of !== shells.of) {
    shells = { of, rows: [] };
    body.replaceChildren();
  }
  body.querySelectorAll(".part, .rest").forEach((one) => one.remove());
  while (shells.rows.length < rows.length) shells.rows.push(shell(columns));
  while (body.rows.length > rows.length) body.lastChild.remove();
  while (body.rows.length < rows.length) body.append(shells.rows[body.rows.length].tr);
  rows.forEach((row, i) => fill(shells.rows[i], row, columns, view));
}

/** An empty row, and the nodes that are filled. */
function shell(columns) {
  const made = { link: html("a", { text: " " }), why: html("span", { class: "quiet why" }), path: svg("path"), texts: [], row: null };
  made.swatch = swatch("");
  made.open = html("button", { type: "button", class: "open", onclick: () => toggleParts(made) });
  made.tr = html("tr", {}, ...columns.map((column) => {
    if (column.id === "name") return html("th", { scope: "row", class: "name" }, made.swatch, made.link, made.open, made.why);
    if (column.id === "trend") return html("td", { class: "trend" }, sparkline(made.path));
    const text = document.createTextNode("");
    made.texts.push([column.id, text]);
    return html("td", { class: columnClass(column) }, text);
  }));
  return made;
}

function fill(made, row, columns, view) {
  made.row = row;
  made.tr.dataset.id = row.id;
  made.tr.dataset.usd = decimal(row.usd);
  made.swatch.firstChild.setAttribute("class", hueClass(row.id));
  made.link.firstChild.data = row.name;
  made.link.setAttribute("href", addressOf(narrowed(view.state, view.state.by, row.id)));
  const texts = new Map(columns.map((column) => [column.id, column.text]));
  for (const [id, text] of made.texts) text.data = texts.get(id)(row);
  made.path.setAttribute("d", sparkPath(row, view));
  made.why.hidden = !row.why;
  made.why.textContent = row.why;
  made.open.hidden = !view.state.then;
  made.open.setAttribute("aria-label", `Parts of ${row.name}`);
  markOpen(made.open, false);
}

function markOpen(button, isOpen) {
  button.setAttribute("aria-expanded", String(isOpen));
  button.textContent = isOpen ? "\u25be" : "\u25b8";
}

/** The view of one row by the second dimension: its parts add up to it. */
function partsOf(row, view) {
  const { state } = view;
  return { ...viewOf({ ...state, by: state.then, then: "", filters: { ...state.filters, [state.by]: [row.id] } }, view.ours), of: row };
}

function toggleParts({ open, tr, row }) {
  const isOpen = open.getAttribute("aria-expanded") === "true";
  markOpen(open, !isOpen);
  if (isOpen) {
    while (tr.nextElementSibling?.classList.contains("part")) tr.nextElementSibling.remove();
    return;
  }
  const { state } = current;
  const parts = partsOf(row, current);
  const columns = columnsOf(current);
  tr.after(...sortedRows(parts).map((part) => html("tr", { class: "part", "data-part": part.id, "data-part-usd": decimal(part.usd) }, ...columns.map((column) => cell(column, part, parts, addressOf(narrowedTwice(state, row.id, part.id)))))));
}

const swatch = (id) => svg("svg", { width: 10, height: 10, "aria-hidden": "true", class: "swatch" }, svg("rect", { width: 10, height: 10, class: hueClass(id) }));

const sparkline = (path) => svg("svg", { width: 72, height: 18, "aria-hidden": "true" }, path);
const spark = (d) => sparkline(svg("path", { d }));

/** The path of a sparkline, from nought to its own largest value; empty for a single value. */
function sparkPath(row, view) {
  const { count, series } = view.result;
  const [g, ...others] = row.groups;
  const values = thinned(others.length ? bucketSums(view.result, "usd", row.groups) : series.usd.subarray(g * count, (g + 1) * count));
  if (values.length < 2) return "";
  const scale = 16 / Math.max(...values, 0.01);
  const step = 70 / (values.length - 1);
  let d = "";
  values.forEach((value, i) => { d += `${i ? "L" : "M"}${tenths(i * step)} ${tenths(17 - Math.max(0, value) * scale)}`; });
  return d;
}

/** At most as many values as a sparkline can show: sums of neighbours. */
function thinned(values) {
  const by = Math.ceil(values.length / MOST_POINTS);
  if (by === 1) return values;
  const sum = new Float64Array(Math.ceil(values.length / by));
  for (let i = 0; i < values.length; i += 1) sum[Math.floor(i / by)] += values[i];
  return sum;
}
