// Controls: choices that are one of several, ranges, and what each does to the state.

function radios(id, choices, value, pick) {
  const box = byId(id);
  if (!box.querySelector("input")) {
    box.append(...Object.entries(choices).map(([key, title]) => {
      const input = html("input", { type: "radio", name: id, value: key });
      return html("label", {}, input, html("span", { text: title }));
    }));
  }
  box.onchange = (event) => pick(event.target.value);
  for (const input of box.querySelectorAll("input")) input.checked = input.value === value;
}

function options(id, choices, value, pick) {
  const box = byId(id);
  if (!box.options.length) box.append(...Object.entries(choices).map(([key, title]) => html("option", { value: key, text: title })));
  box.value = value;
  box.onchange = () => pick(box.value);
}

/** Ranges by name: the last 30 and 90 days, this month, the one before, everything. */
function ranges() {
  const last = lastPosition();
  const start = monthStart(last);
  const list = { "30 d": [last - 29, last], "90 d": [last - 89, last], [monthName(last)]: [start, last] };
  if (start > 0) list[monthName(start - 1)] = [monthStart(start - 1), start - 1];
  if (last > 364) list["12 months"] = [last - 364, last];
  list.All = [0, last];
  return Object.fromEntries(Object.entries(list).map(([name, [first, end]]) => [name, [Math.max(0, first), end]]));
}

const monthName = (position) => MONTHS[dateAt(position).getUTCMonth()];

function drawControls(state, go) {
  const groups = Object.fromEntries(dimensions.map((one) => [one.id, one.title]));
  options("by", groups, state.by, (by) => go({ ...state, by, then: state.then === by ? "" : state.then }));
  options("then", { "": "Nothing", ...groups }, state.then, (then) => go({ ...state, then: then === state.by ? "" : then }));
  options("compare", COMPARES, state.compare, (compare) => go({ ...state, compare }));
  options("unit", Object.fromEntries(UNIT_IDS.map((id) => [id, UNITS[id].title])), state.unit, (unit) => go({ ...state, unit }));
  radios("charts", CHARTS, state.chart, (chart) => go({ ...state, chart }));
  radios("grains", GRAINS, state.grain, (grain) => go({ ...state, grain }));
  drawRanges(state, go);
}

function drawRanges(state, go) {
  byId("ranges").replaceChildren(...Object.entries(ranges()).map(([name, range]) => html("button", {
    type: "button", text: name, "aria-pressed": String(range[0] === state.range[0] && range[1] === state.range[1]),
    onclick: () => { go({ ...state, range }); },
  })));
  const [from, to] = [byId("from"), byId("to")];
  for (const input of [from, to]) [input.min, input.max] = [isoAt(0), isoAt(lastPosition())];
  [from.value, to.value] = state.range.map(isoAt);
  const change = () => go({ ...state, range: rangeOf(from.value, to.value) });
  from.onchange = change;
  to.onchange = change;
}
