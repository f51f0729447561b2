// The table below the chart: a row per member, rows that open to their parts, the total.
// Shown cents of the rows add up to the shown total; data-usd has every digit. Not here: how rows are
// drawn (rows.js).

const MOST_ROWS = 100;
let isWhole = false;

function drawTable(view) {
  const table = byId("breakdown");
  const focused = table.contains(document.activeElement) ? placeOf(document.activeElement) : null;
  const columns = columnsOf(view);
  const rows = sortedRows(view);
  const shown = isWhole || rows.length <= MOST_ROWS + 1 ? rows : rows.slice(0, MOST_ROWS);
  if (!table.tBodies.length) table.append(html("caption", { class: "unseen" }), html("thead"), html("tbody"), html("tfoot"));
  table.caption.textContent = `Spend by ${dimensionOf[view.state.by].title}, ${spanText(...view.state.range)}`;
  table.tHead.replaceChildren(html("tr", {}, ...columns.map((column) => head(column, view))));
  drawRows(table.tBodies[0], shown, columns, view);
  if (rows.length > shown.length) table.tBodies[0].append(restRow(rows.slice(shown.length), columns, view));
  table.tFoot.replaceChildren(html("tr", {}, ...columns.map((column) => cell(column, view.whole, view))));
  byId("table-note").replaceChildren(...refusal(view), tableNote(view));
  if (focused) (table.querySelector(focused) ?? table.querySelector("tbody a") ?? table.querySelector("thead button"))?.focus({ preventScroll: true });
}

/** What the focus is on in the table, so that a table drawn anew has it again. */
function placeOf(element) {
  const column = element.closest("thead th");
  const id = element.closest("tr")?.dataset.id;
  return column ? `thead th.${column.classList[0]} button` : `tbody tr[data-id="${CSS.escape(id ?? "")}"] a`;
}

/** What each row shows. A figure is a number for sorting and a text. */
function rowsOf(view) {
  const { state, groups } = view;
  const dimension = dimensionOf[state.by];
  const shown = shownCents(view, groups.map((g) => [g]));
  return groups.map((g, i) => figures(view, [g], shown[i], { id: dimension.ids[g], name: dimension.names[g], why: g === 0 ? dimension.why : "" }));
}

/**
 * Dollars, those compared, those compared with, and the change of some rows, in cents that add up to
 * each total; of parts, to those of the row that they are of.
 */
function shownCents({ result, same, before, of }, rows) {
  const usd = rows.map((groups) => usdSum(result, groups));
  const now = rows.map((groups) => usdSum(same, groups));
  const then = rows.map((groups) => (before ? usdSum(before, groups) : 0n));
  const change = sharedCents(now.map((value, i) => value - then[i]), of?.changeCents);
  const [all, ours, theirs] = [sharedCents(usd, of?.cents), sharedCents(now, of?.nowCents), sharedCents(then, of?.thenCents)];
  return rows.map((_, i) => ({ cents: all[i], nowCents: ours[i], thenCents: theirs[i], changeCents: change[i] }));
}

function figures(view, groups, shown, about) {
  const { result, same, before } = view;
  const usd = usdSum(result, groups);
  const now = usdSum(same, groups);
  const then = before ? usdSum(before, groups) : 0n;
  const sum = (name) => totalOf(result, UNITS[name], groups);
  return {
    ...about, ...shown, groups, usd, now, then,
    tokens: sum("tokens"), requests: sum("requests"), price: sum("usd_per_million"), cache: sum("cache_share"), batch: sum("batch_share"),
  };
}

function columnsOf(view) {
  const whole = view.whole.usd;
  const isPart = view.same !== view.result;
  const compared = view.before
    ? [
        ...(isPart ? [{ id: "now", title: `${shortDay(view.ours[0])} to ${shortDay(view.ours[1])}, USD`, value: (row) => near(row.now), text: (row) => amount(row.nowCents) }] : []),
        { id: "then", title: `${shortDay(view.compared[0])} to ${shortDay(view.compared[1])}, USD`, value: (row) => near(row.then), text: (row) => amount(row.thenCents) },
        { id: "change", title: "Change", value: (row) => near(row.now - row.then), text: (row) => signedText(row.changeCents) },
        { id: "percent", title: "Change %", value: (row) => (row.then > 0n ? near(row.now) / near(row.then) : Infinity), text: (row) => changeText(row.now, row.then) },
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

function sortedRows(view) {
  const rows = rowsOf(view);
  const [id, isUp] = view.state.sort.split(".");
  const column = columnsOf(view).find((one) => one.id === id);
  if (!column?.value) return rows;
  const sign = (isUp ? 1 : -1) * (id === "name" ? -1 : 1);
  const keyed = rows.map((row) => [column.value(row), row]);
  keyed.sort(([x], [y]) => sign * (typeof x === "string" ? x.localeCompare(y) : x === y ? 0 : x < y ? -1 : 1));
  return keyed.map(([, row]) => row);
}

function head(column, { state }) {
  const at = [column.id, `${column.id}.up`].indexOf(state.sort);
  const label = column.value
    ? html("button", { type: "button", title: column.about, text: column.title, onclick: () => go({ ...state, sort: at === 0 ? `${column.id}.up` : column.id }) })
    : html("span", { title: column.about, text: column.title });
  const direction = at < 0 ? undefined : (at === 0) === (column.id !== "name") ? "descending" : "ascending";
  return html("th", { scope: "col", "aria-sort": direction, class: columnClass(column) }, label);
}

const columnClass = (column) => (column.isWide ? `${column.id} wide` : column.id);

function cell(column, row, view, address) {
  if (column.id === "trend") return html("td", { class: "trend" }, spark(sparkPath(row, view)));
  if (column.id !== "name") return html("td", { class: columnClass(column), text: column.text(row) });
  return html("th", { scope: "row", class: "name" }, row.id && swatch(row.id), address ? html("a", { href: address, text: row.name }) : row.name);
}

/** The row of everything that is not listed: it opens. */
function restRow(rest, columns, view) {
  const groups = rest.flatMap((row) => row.groups);
  const sum = (name) => rest.reduce((all, one) => all + one[name], 0n);
  const shown = { cents: sum("cents"), nowCents: sum("nowCents"), thenCents: sum("thenCents"), changeCents: sum("changeCents") };
  const row = figures(view, groups, shown, { id: "~rest", name: `Everything else (${rest.length})` });
  const made = html("tr", { class: "rest", "data-id": "~rest", "data-usd": decimal(row.usd) }, ...columns.map((column) => cell(column, row, view)));
  made.querySelector("th").replaceChildren(html("button", { type: "button", text: row.name, onclick: () => { isWhole = true; drawTable(view); } }));
  return made;
}

function tableNote(view) {
  const words = [];
  if (view.before) words.push(comparedNote(view));
  if (!view.groups.length) words.push("Nothing is in view: remove a filter or widen the range.");
  words.push("Tokens and requests are of the usage report, dollars of the bill; each row's trend has a scale of its own.");
  return words.join(" ");
}

/** Which days are compared, and why not all of the view. */
function comparedNote({ state, ours, compared }) {
  if (ours[1] === state.range[1]) return `Compared with ${spanText(...compared)}.`;
  const why = isUnfinished(ours[1] + 1, state.filters) ? "later days were not complete when they were read" : "the month then had no more days";
  return `Compared are ${spanText(...ours)} with ${spanText(...compared)}: ${why}.`;
}

/** Why nothing is compared, and the view of the connections that can be. */
function* refusal({ state, ours, refused, unread }) {
  if (!refused) return;
  if (!ours) {
    yield `Not compared: no day of ${spanText(...state.range)} was over when it was read. `;
    return;
  }
  if (!unread.length) {
    yield `Not compared: not every day of ${spanText(...refused)} was read. `;
    return;
  }
  yield `Not compared: not every day of ${spanText(...ours)} and of ${spanText(...refused)} was read from ${unread.join(", ")} after its end. `;
  const connection = connectionsIn(state.filters).filter((id) => !unread.includes(id));
  if (!connection.length) return;
  yield html("a", { href: addressOf({ ...state, filters: { ...state.filters, connection } }), text: "Compare the others" });
  yield ". ";
}
