// A heat map: a row per member, a column per bucket; darker is more, in steps that the caption names.

const ROW = 20;
const STEPS = 6;

function drawHeatmap(box, width, layers, list, grain, onPick) {
  const names = Math.min(170, width * 0.3);
  const step = (width - names - 4) / list.length;
  const most = Math.max(0, ...layers.flatMap((layer) => layer.values.map((value) => value ?? 0)));
  layers.forEach((layer, row) => {
    const y = row * ROW;
    const room = Math.floor(names / 7);
    const label = svg("text", { x: names - 8, y: y + 14, "text-anchor": "end", class: "pick", onclick: (event) => onPick(layer, event) });
    label.textContent = layer.name.length > room ? `${layer.name.slice(0, room - 1)}\u2026` : layer.name;
    box.append(label);
    layer.values.forEach((value, b) => {
      const depth = value > 0 ? Math.ceil(STEPS * Math.sqrt(value / most)) : 0;
      box.append(svg("rect", {
        x: names + b * step, y: y + 1, width: Math.max(0.5, step - (step > 4 ? 1 : 0)), height: ROW - 2,
        class: `heat heat-${depth}`, "data-bucket": b, onclick: (event) => onPick(layer, event, b),
      }));
    });
  });
  const every = Math.ceil(list.length / Math.max(2, Math.floor((width - names) / 76)));
  list.forEach((bucket, b) => {
    if (b % every || width - (names + b * step) < 44) return;
    box.append(svg("text", { x: names + b * step, y: layers.length * ROW + 16, text: grain === "month" ? bucket.label.split(",")[0] : shortDay(bucket.first) }));
  });
  return { most, first: names, step };
}
