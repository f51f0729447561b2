// CSV of the table: every digit of the dollars, and text that no spreadsheet takes for a formula.

const BEGINS_FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
const NUMBER = /^[+-]?[$]?[0-9][0-9,]*([.][0-9]+)?( ?%)?$/;

function csvCell(value) {
  const text = String(value ?? "");
  const safe = BEGINS_FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const CSV_HEAD = ["from", "to", "billed_usd", "tokens", "requests", "usd_per_million_tokens", "cache_hit_pct", "batch_pct"];

function csvOf(view) {
  const { state, before } = view;
  const names = [state.by, `${state.by}_name`, ...(state.then ? [state.then, `${state.then}_name`] : [])];
  const lines = [[...names, ...CSV_HEAD, ...(before ? ["comparable_to", "comparable_usd", "compared_from", "compared_to", "compared_usd"] : [])]];
  for (const row of sortedRows(view)) {
    if (!state.then) lines.push(csvLine(view, [row.id, row.name], row));
    else for (const part of sortedRows(partsOf(row, view))) lines.push(csvLine(view, [row.id, row.name, part.id, part.name], part));
  }
  return `${lines.map((line) => line.map(csvCell).join(",")).join("\r\n")}\r\n`;
}

function csvLine(view, names, row) {
  const [first, last] = view.state.range.map(isoAt);
  const counts = [row.tokens || "", row.requests || "", row.price?.toFixed(6) ?? "", row.cache?.toFixed(2) ?? "", row.batch?.toFixed(2) ?? ""];
  const compared = view.before ? [isoAt(view.ours[1]), decimal(row.now), ...view.compared.map(isoAt), decimal(row.then)] : [];
  return [...names, first, last, decimal(row.usd), ...counts, ...compared];
}

function downloadCsv(view) {
  const address = URL.createObjectURL(new Blob([csvOf(view)], { type: "text/csv" }));
  const [first, last] = view.state.range.map(isoAt);
  const link = html("a", { href: address, download: `ai-costs-by-${view.state.by}-${first}-${last}.csv` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
