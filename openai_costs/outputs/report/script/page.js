// The page: the address is the state. A change of it draws the view; every control changes it.

let current = null;

/** Everything that is drawn of a state; of the parts of a row, with the days that are compared of it. */
function viewOf(state, ours = comparableRange(state)) {
  const [first, last] = state.range;
  const list = isOfPage(state.range) ? buckets(state.range, state.grain) : [{ first, last, label: spanText(first, last) }];
  const unit = UNITS[state.unit];
  const result = sums(state.filters, state.by, list, unit);
  const asked = comparedRange(ours ?? state.range, state.compare);
  const unread = asked && ours ? partlyRead([ours, asked], connectionsIn(state.filters)) : [];
  const compared = asked && ours && asked[0] >= 0 && !unread.length ? asked : null;
  const before = compared && sums(state.filters, state.by, buckets(compared, state.grain), unit);
  const part = compared && ours[1] < state.range[1] && sums(state.filters, state.by, buckets(ours, state.grain), unit);
  const now = ordered(result, (g) => weightOf(result, unit, g));
  const isNow = new Set(now);
  const ended = before ? ordered(before, (g) => near(before.usd[g])).filter((g) => !isNow.has(g)) : [];
  const view = { state, list, unit, result, groups: [...now, ...ended], before, compared, ours, same: part || result, beforeGroups: before ? ordered(before, () => 0) : [], refused: asked && !compared ? asked : null, unread };
  view.whole = figures(view, view.groups, shownCents(view, [view.groups])[0], { id: "", name: "Total" });
  return view;
}

function go(state) {
  const hash = addressOf(state);
  if (hash === location.hash) draw();
  else location.hash = hash;
}

/** A view's address has an equals sign; any other is a place on the page. */
const isView = (hash) => hash.includes("=");

function draw() {
  const began = performance.now();
  const state = isView(location.hash) ? stateOf(location.hash) : current?.state ?? usualState();
  const view = viewOf(state);
  current = view;
  isWhole = false;
  drawTotal(view);
  drawControls(state, go);
  drawChips(state, go);
  if (byId("filter").open) drawChoices(state, go);
  drawChart(view, pick);
  drawTable(view);
  byId("explorer").dataset.drawn = (performance.now() - began).toFixed(1);
}

function drawTotal(view) {
  const { state, whole, unit } = view;
  const total = byId("total");
  total.dataset.usd = decimal(whole.usd);
  total.textContent = dollarText(whole.usd);
  const other = unit === UNITS.usd ? "" : `${unit.title}: ${unitText(unit, totalOf(view.result, unit, view.groups))}. `;
  const change = view.before ? `${signedText(cents(whole.now - whole.then), "$")} (${changeText(whole.now, whole.then)}) ${comparisonText(view)}. ` : "";
  byId("total-note").textContent = `${other}${change}${spanText(...state.range)}${stateNote(state.range)}${state.isCut ? `. This page has only ${spanText(0, lastPosition())}` : ""}`;
  byId("readout").textContent = "";
}

/** What is compared: the days then, and those of the view where these are fewer. */
function comparisonText({ state, ours, compared }) {
  const those = ours[1] < state.range[1] ? `of ${spanText(...ours)} ` : "";
  return `${those}against ${spanText(...compared)}`;
}

function stateNote(range) {
  const letters = lettersOf(range);
  const count = (letter) => letters.split(letter).length - 1;
  const parts = [[count("p"), "provisional"], [count("m"), "missing"]].filter(([days]) => days).map(([days, word]) => `${days} ${word}`);
  return parts.length ? `, ${parts.join(", ")}` : "";
}

/** What was clicked narrows the view: a member, or a member and its part. */
function pick(layer, part) {
  const { state } = current;
  if (layer.id === "~rest") {
    isWhole = true;
    drawTable(current);
    byId("breakdown").scrollIntoView();
    return;
  }
  go(part ? narrowedTwice(state, layer.id, part.id) : narrowed(state, state.by, layer.id));
}

/** What the arrows change: the bucket, and in a heat map the row. */
const MOVES = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

function startChart() {
  const drawing = byId("drawing");
  drawing.addEventListener("pointermove", (event) => {
    const place = drawing.getBoundingClientRect();
    drawn?.readAt?.(event.clientX - place.left, event.clientY - place.top);
  });
  drawing.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (!drawn?.move || event.target.closest("a") || !(move || event.key === "Enter")) return;
    event.preventDefault();
    if (move) drawn.move(...move);
    else if (drawn.bucket !== undefined) go(drawn.narrowed());
  });
  byId("chart").addEventListener("mouseleave", hideCard);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hideCard();
  });
  let width = drawing.clientWidth;
  new ResizeObserver(() => {
    if (drawing.clientWidth === width) return;
    width = drawing.clientWidth;
    if (current) drawChart(current, pick);
  }).observe(drawing);
}

function startFilters() {
  const box = byId("filter");
  const choose = byId("filter-dimension");
  choose.append(...dimensions.filter((one) => one.ids.length > 1).map((one) => html("option", { value: one.id, text: one.title })));
  choose.value = "user";
  if (!choose.value) choose.selectedIndex = 0;
  const redraw = () => {
    if (box.open && current) drawChoices(current.state, go);
  };
  for (const [target, kind] of [[box, "toggle"], [choose, "change"], [byId("filter-text"), "input"]]) target.addEventListener(kind, redraw);
  byId("clear").addEventListener("click", () => go({ ...current.state, filters: {} }));
}

async function copyAddress() {
  const button = byId("copy-link");
  try {
    await navigator.clipboard.writeText(location.href);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Copy the address bar";
  }
  setTimeout(() => { button.textContent = "Link"; }, 2000);
}

/** Opens the row that an address names, and brings it into view. */
function showPlace() {
  const place = !isView(location.hash) && location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (!place) return;
  place.closest("section")?.querySelectorAll("tr.target").forEach((row) => row.classList.remove("target"));
  if (place.tagName === "TR") place.classList.add("target");
  place.scrollIntoView();
}

async function start() {
  if (!source) return;
  setDays(source.first, source.states);
  await loadFacts();
  chooseAllColors();
  byId("explorer").hidden = false;
  startChart();
  startFilters();
  startSearch((dimension, id) => go(narrowed(current.state, dimension, id)));
  byId("export-csv").addEventListener("click", () => downloadCsv(current));
  byId("copy-link").addEventListener("click", copyAddress);
  if (!location.hash) history.replaceState(null, "", addressOf(usualState()));
  draw();
  showPlace();
  addEventListener("hashchange", (event) => {
    if (isView(location.hash)) draw();
    else showPlace();
    // A link to a view from a section brings the explorer into view.
    if (isView(location.hash) && followed) byId("explorer").scrollIntoView();
    followed = false;
  });
  document.documentElement.dataset.ready = performance.now().toFixed(0);
}

let followed = false;
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href^='#']");
  followed = Boolean(link && !link.closest("#explorer") && isView(link.getAttribute("href")));
  if (followed && link.getAttribute("href") === location.hash) byId("explorer").scrollIntoView();
});

start();
