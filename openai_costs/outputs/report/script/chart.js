// The daily chart: one path per member, read by pointer or by arrow keys.

let chart = null;

const plotOf = (box, first, last, [low, high]) => {
  const width = Math.max(box.clientWidth, 260), height = box.clientWidth < 520 ? 220 : 280;
  const top = 8, bottom = height - 24;
  const marks = ticks(low, high);
  const names = marks.map((at) => axisMoney(at, marks[1] - marks[0]));
  const left = 12 + 6.6 * Math.max(...names.map((name) => name.length));
  const perDay = (width - left - 4) / (last - first + 1);
  const bar = Math.min(perDay > 4 ? perDay - Math.max(1, perDay * .18) : perDay * .86, 34);
  return {
    width, height, top, bottom, left, perDay, bar, marks, names, first, last,
    start: (i) => left + (i - first) * perDay,
    x: (i) => left + (i - first) * perDay + (perDay - bar) / 2,
    y: (cents) => top + (bottom - top) * (marks.at(-1) - cents) / (marks.at(-1) - marks[0]),
  };
};
const axes = (plot) => {
  const { width, left, height, marks, names, first, last, perDay, bar, x, y } = plot;
  const drawn = marks.flatMap((at, i) => [
    shape("line", { class: "grid", x1: left, x2: width, y1: y(at), y2: y(at) }),
    shape("text", { x: left - 8, y: y(at) + 4, "text-anchor": "end" }, names[i]),
  ]);
  for (const [i, name] of dayLabels(first, last, perDay)) {
    const middle = x(i) + bar / 2, isLast = middle > width - 24;
    const place = { x: isLast ? width : Math.max(middle, left + 16), y: height - 6, "text-anchor": isLast ? "end" : "middle" };
    drawn.push(shape("text", place, name));
  }
  return drawn;
};
const gaps = ({ first, last, top, bottom, bar, x }) => {
  const drawn = [];
  for (let i = first; i <= last; i++) {
    if (view().states[i] === "m") drawn.push(shape("rect", { class: "gap", x: x(i), y: top, width: bar, height: bottom - top }));
  }
  return drawn;
};
// Credits go below zero, so that they are seen and not taken off a bar.
const bars = (parts, { first, last, bar, x, y }) => {
  const paths = parts.map(() => ({ settled: "", early: "" }));
  for (let i = first; i <= last; i++) {
    const state = view().states[i] === "s" ? "settled" : "early";
    let up = 0, down = 0;
    parts.forEach(({ cents }, n) => {
      const from = cents[i] > 0 ? up : down, to = from + cents[i];
      if (cents[i] > 0) up = to; else down = to;
      const edges = [x(i), y(from), bar, y(to), -bar].map((at) => at.toFixed(1));
      if (cents[i]) paths[n][state] += `M${edges[0]} ${edges[1]}h${edges[2]}V${edges[3]}h${edges[4]}z`;
    });
  }
  return parts.flatMap(({ colour }, n) => [
    shape("path", { class: colour, d: paths[n].settled }),
    shape("path", { class: colour + " early", d: paths[n].early }),
  ]);
};
const listen = (svg, { first, last, left, width, top, bottom, perDay, start }) => {
  const here = shape("rect", { class: "here", y: top, width: perDay, height: bottom - top, visibility: "hidden" });
  svg.append(here);
  const mark = (i) => {
    chosen.day = i;
    here.setAttribute("visibility", i === null ? "hidden" : "visible");
    if (i !== null) here.setAttribute("x", start(i));
    fillLegend();
  };
  const point = (event) => {
    const box = svg.getBoundingClientRect();
    const i = first + Math.floor(((event.clientX - box.left) * width / box.width - left) / perDay);
    mark(i >= first && i <= last ? i : null);
  };
  const step = (event) => {
    const current = chosen.day === null ? last + 1 : chosen.day;
    const next = { ArrowLeft: current - 1, ArrowRight: current + 1, Home: first, End: last }[event.key];
    if (event.key === "Escape") mark(null);
    if (next === undefined) return;
    event.preventDefault();
    mark(Math.min(Math.max(next, first), last));
  };
  svg.addEventListener("pointermove", point);
  svg.addEventListener("pointerdown", point);
  svg.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") mark(null); });
  svg.addEventListener("blur", () => mark(null));
  svg.addEventListener("keydown", step);
};
const spoken = (first, last) =>
  `Daily spend in USD from ${iso(first)} to ${iso(last)}, stacked by ` +
  `${data.dimensions[chosen.dimension].toLowerCase()}. ` +
  "Use the arrow keys to move from day to day; the table below has the same numbers.";
const captionOf = (states) =>
  "USD per UTC day." +
  (states.includes("p") ? " Faded bars are provisional." : "") +
  (states.includes("m") ? " Tinted columns are missing days, not zero." : "");

const drawChart = () => {
  const box = $("chart"), first = period().first, last = data.days - 1;
  const { total, whole, parts } = layers();
  const range = extent(parts, first, last);
  const isZero = range[0] === 0 && range[1] === 0;
  chart = { total, whole, parts, first, last, isZero };
  $("chart-caption").textContent = isZero ? "" : captionOf(view().states.slice(first));
  if (isZero) {
    box.replaceChildren(element("p", `$0.00 was billed on every day read from ${iso(first)} to ${iso(last)}.`));
    return;
  }
  const plot = plotOf(box, first, last, range);
  const { width, height, left, y } = plot;
  const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, height, tabindex: 0, role: "img", "aria-label": spoken(first, last) });
  svg.append(...axes(plot), ...gaps(plot), ...bars(parts, plot));
  svg.append(shape("line", { class: "zero", x1: left, x2: width, y1: y(0), y2: y(0) }));
  listen(svg, plot);
  box.replaceChildren(svg);
};
