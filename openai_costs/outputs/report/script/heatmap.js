// A heat map: a row per member, a column per bucket; darker is more, in steps that the caption names.
// All cells of one shade are one path: a year of people is thousands of cells.

const ROW = 20;
const STEPS = 6;

function drawHeatmap(box, width, layers, list, grain, onPick) {
  const names = Math.min(170, width * 0.3);
  const at = { first: names, step: (width - names - 4) / list.length };
  const most = Math.max(0, ...layers.flatMap((layer) => layer.values.map((value) => value ?? 0)));
  for (const [depth, d] of shades(layers, at, most).entries()) if (d) box.append(svg("path", { d, class: `heat heat-${depth}` }));
  const room = Math.floor(names / 7);
  layers.forEach((layer, row) => box.append(svg("text", {
    x: names - 8, y: row * ROW + 14, "text-anchor": "end", class: "pick", onclick: () => onPick(layer),
    text: layer.name.length > room ? `${layer.name.slice(0, room - 1)}\u2026` : layer.name,
  })));
  box.append(svg("rect", { class: "here", y: 0, height: ROW, width: Math.max(2, at.step), visibility: "hidden" }));
  const every = Math.ceil(list.length / Math.max(2, Math.floor((width - names) / 76)));
  list.forEach((bucket, b) => {
    if (b % every || width - (names + b * at.step) < 44) return;
    box.append(svg("text", { x: names + b * at.step, y: layers.length * ROW + 16, text: grain === "month" ? bucket.label.split(",")[0] : shortDay(bucket.first) }));
  });
  return at;
}

/** The cells of each shade, as a path; shade 0 is of what is not above nought. */
function shades(layers, at, most) {
  const paths = new Array(STEPS + 1).fill("");
  const width = tenths(Math.max(0.5, at.step - (at.step > 4 ? 1 : 0)));
  layers.forEach((layer, row) => layer.values.forEach((value, b) => {
    const depth = value > 0 ? Math.ceil(STEPS * Math.sqrt(value / most)) : 0;
    paths[depth] += `M${tenths(at.first + b * at.step)} ${row * ROW + 1}h${width}v${ROW - 2}h-${width}z`;
  }));
  return paths;
}

/** How a heat map is read, by pointer and arrows, and narrowed: a member on its days. */
function heatReader(view, layers, at) {
  const { list, unit, state } = view;
  const here = { bucket: undefined, row: 0 };
  const read = (row, b) => {
    if (b < 0 || b >= list.length || row < 0 || row >= layers.length) return;
    [here.bucket, here.row] = [b, row];
    showHere({ x: at.first + b * at.step, y: row * ROW });
    byId("readout").textContent = `${layers[row].name}, ${list[b].label}: ${unitText(unit, layers[row].values[b])}`;
  };
  return Object.assign(here, {
    readAt: (x, y) => read(Math.floor(y / ROW), Math.floor((x - at.first) / at.step)),
    move: (across, down) => read(Math.min(layers.length - 1, Math.max(0, here.row + down)), Math.min(list.length - 1, Math.max(0, (here.bucket ?? -1) + across))),
    narrowed: () => ({ ...narrowed(state, state.by, layers[here.row].id), range: [list[here.bucket].first, list[here.bucket].last] }),
  });
}
