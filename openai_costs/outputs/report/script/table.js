// The table below the chart: a row per member, rows that open to their parts, the total.
// Shown cents of the rows add up to the shown total; data-usd has every digit.

const MOST_ROWS = 100;
const MOST_POINTS = 60;
let order = { column: "", isUp: false };
let isWhole = false;

function drawTable(view) {
  const table = byId("breakdown");
  const columns = columnsOf(view);
  const rows = sorted(rowsOf(view), columns);
  const shown = isWhole || rows.length <= MOST_ROWS + 1 ? rows : rows.slice(0, MOST_ROWS);
  const rest = rows.slice(shown.length);
  table.replaceChildren(
    html("caption", { class: "unseen", text: `Spend by ${dimensionOf[view.state.by].title}, ${spanText(...view.state.range)}` }),
    html("thead", {}, html("tr", {}, ...columns.map((column) => head(column, view)))),
    html("tbody", {}, ...shown.map((row) => bodyRow(row, columns, view)), ...(rest.length ? [restRow(rest, columns, view)] : [])),
    html("tfoot", {}, html("tr", {}, ...columns.map((column) => cell(column, view.whole, view)))),
  );
  byId("table-note").textContent = tableNote(view);
}

/** What each row shows. A figure is a number for sorting and a text. */
function rowsOf(view) {
  const { state, groups } = view;
  const dimension = dimensionOf[state.by];
  const shown = sharedCents([...groups.map((g) => view.result.spend.usd[g])]);
  return groups.map((g, i) => figures(view, [g], shown[i], {
    id: dimension.ids[g], name: dimension.names[g], why: g === 0 ? dimension.why : "", address: addressOf(narrowed(state, state.by, dimension.ids[g])),
  }));
}

function figures(view, groups, shownCents, about) {
  const { result, before } = view;
  const usd = usdSum(result, groups);
  const then = before ? usdSum(before, groups) : 0n;
  const sum = (name) => totalOf(result, UNITS[name], groups);
  return {
    ...about, groups, usd, then, cents: shownCents,
    tokens: sum("tokens"), requests: sum("requests"), price: sum("usd_per_million"), cache: sum("cache_share"), batch: sum("batch_share"),
  };
}

function columnsOf(view) {
  const whole = view.whole.usd;
  const compared = view.before
    ? [
        { id: "then", title: `${shortDay(view.compared[0])} to ${shortDay(view.compared[1])}, USD`, value: (row) => near(row.then), text: (row) => amount(cents(row.then)) },
        { id: "change", title: "Change", value: (row) => near(row.usd - row.then), text: (row) => signedText(cents(row.usd - row.then)) },
        { id: "percent", title: "Change %", value: (row) => (row.then > 0n ? near(row.usd) / near(row.then) : Infinity), text: (row) => changeText(row.usd, row.then) },
      ]
    : [];
  return [
    { id: "name", title: dimensionOf[view.state.by].title, value: (row) => row.name, text: (row) => row.name },
    { id: "usd", title: "USD", value: (row) => near(row.usd), text: (row) => amount(row.cents) },
    { id: "share", title: "Share", value: (row) => near(row.usd), text: (row) => shareText(row.usd, whole) },
    ...compared,
    { id: "tokens", title: "Tokens", value: (row) => row.tokens || 0, text: (row) => countText(row.tokens || undefined) },
    { id: "requests", title: "Requests", value: (row) => row.requests || 0, text: (row) => countText(row.requests || undefined), isWide: true },
    { id: "price", title: "$ per 1M", value: (row) => row.price ?? 0, text: (row) => unitText(UNITS.usd_per_million, row.price), about: UNITS.usd_per_million.about },
    { id: "cache", title: "Cache hits", value: (row) => row.cache ?? 0, text: (row) => unitText(UNITS.cache_share, row.cache), about: UNITS.cache_share.about, isWide: true },
    { id: "batch", title: "Batch", value: (row) => row.batch ?? 0, text: (row) => unitText(UNITS.batch_share, row.batch), about: UNITS.batch_share.about, isWide: true },
    { id: "trend", title: "Trend", about: "Dollars over the range; each row has a scale of its own" },
  ];
}

function sorted(rows, columns) {
  const column = columns.find((one) => one.id === order.column);
  if (!column?.value) return rows;
  const sign = order.isUp ? 1 : -1;
  return [...rows].sort((a, b) => {
    const [x, y] = [column.value(a), column.value(b)];
    return sign * (typeof x === "string" ? -x.localeCompare(y) : x === y ? 0 : x < y ? -1 : 1);
  });
}

function head(column, view) {
  const at = order.column === column.id ? (order.isUp ? "ascending" : "descending") : undefined;
  const label = column.value
    ? html("button", { type: "button", title: column.about, text: column.title, onclick: () => sortBy(column.id, view) })
    : html("span", { title: column.about, text: column.title });
  return html("th", { scope: "col", "aria-sort": at, class: columnClass(column) }, label);
}

const columnClass = (column) => (column.isWide ? `${column.id} wide` : column.id);

function sortBy(id, view) {
  order = { column: id, isUp: order.column === id && !order.isUp };
  drawTable(view);
  byId("breakdown").querySelector(`th.${id} button`).focus();
}

function cell(column, row, view) {
  if (column.id === "trend") return html("td", { class: "trend" }, spark(row, view));
  if (column.id !== "name") return html("td", { class: columnClass(column), text: column.text(row) });
  return html("th", { scope: "row", class: "name" }, swatch(row), row.address ? html("a", { href: row.address, title: row.why || undefined, text: row.name }) : row.name);
}

function swatch(row) {
  return row.id ? svg("svg", { width: 10, height: 10, "aria-hidden": "true", class: "swatch" }, svg("rect", { width: 10, height: 10, class: hueClass(row.id) })) : undefined;
}

function bodyRow(row, columns, view) {
  const made = html("tr", { "data-id": row.id, "data-usd": decimal(row.usd) }, ...columns.map((column) => cell(column, row, view)));
  if (view.state.then) {
    const button = html("button", { type: "button", class: "open", "aria-expanded": "false", "aria-label": `Parts of ${row.name}`, text: "\u25b8" });
    button.addEventListener("click", () => openParts(button, made, row, columns, view));
    made.querySelector("th").append(button);
  }
  if (row.why) made.querySelector("th").append(html("span", { class: "quiet why", text: row.why }));
  return made;
}

/** The view of one row by the second dimension: its parts add up to it. */
function partsOf(row, view) {
  const state = { ...view.state, by: view.state.then, then: "", filters: { ...view.state.filters, [view.state.by]: [row.id] } };
  return viewOf(state);
}

function openParts(button, made, row, columns, view) {
  const isOpen = button.getAttribute("aria-expanded") === "true";
  button.setAttribute("aria-expanded", String(!isOpen));
  button.textContent = isOpen ? "\u25b8" : "\u25be";
  if (isOpen) {
    while (made.nextElementSibling?.classList.contains("part")) made.nextElementSibling.remove();
    return;
  }
  const parts = partsOf(row, view);
  const rows = rowsOf(parts).map((part) => ({ ...part, address: addressOf({ ...narrowed(view.state, view.state.by, row.id), filters: { ...view.state.filters, [view.state.by]: [row.id], [view.state.then]: [part.id] } }) }));
  made.after(...rows.map((part) => html("tr", { class: "part", "data-part": part.id, "data-part-usd": decimal(part.usd) }, ...columns.map((column) => cell(column, part, parts)))));
}

/** The row of everything that is not listed: it opens. */
function restRow(rest, columns, view) {
  const groups = rest.flatMap((row) => row.groups);
  const row = figures(view, groups, rest.reduce((sum, one) => sum + one.cents, 0n), { id: "~rest", name: `Everything else (${rest.length})` });
  const made = html("tr", { "data-id": "~rest", "data-usd": decimal(row.usd) }, ...columns.map((column) => cell(column, row, view)));
  made.querySelector("th").replaceChildren(html("button", { type: "button", text: row.name, onclick: () => { isWhole = true; drawTable(view); } }));
  return made;
}

function spark(row, view) {
  const values = thinned(seriesOf(view.result, UNITS.usd, row.groups));
  if (values.length < 2) return "";
  const most = Math.max(...values, 0.01);
  const points = values.map((value, i) => `${((i * 70) / (values.length - 1)).toFixed(1)} ${(17 - (Math.max(0, value) / most) * 16).toFixed(1)}`);
  return svg("svg", { width: 72, height: 18, "aria-hidden": "true" }, svg("path", { d: `M${points.join("L")}` }));
}

/** At most as many values as a sparkline can show: sums of neighbours. */
function thinned(values) {
  const by = Math.ceil(values.length / MOST_POINTS);
  if (by === 1) return values;
  return Array.from({ length: Math.ceil(values.length / by) }, (_, i) => values.slice(i * by, (i + 1) * by).reduce((sum, one) => sum + one, 0));
}

function tableNote(view) {
  const words = [];
  if (view.refused) words.push(`Not compared: not every day of ${spanText(...view.refused)} was read.`);
  if (view.before) words.push(`Compared with ${spanText(...view.compared)}.`);
  if (!view.groups.length) words.push("Nothing is in view: remove a filter or widen the range.");
  words.push("Tokens and requests are of the usage report, dollars of the bill; each row's trend has a scale of its own.");
  return words.join(" ");
}
