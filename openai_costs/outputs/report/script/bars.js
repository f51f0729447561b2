// Stacked bars: a bar per bucket, a segment per member, what is negative below the line.

function drawBars(box, at, layers, onPick) {
  const gap = at.step > 6 ? Math.min(4, at.step * 0.2) : at.step * 0.12;
  const width = tenths(Math.max(0.6, at.step - gap));
  const lefts = Array.from({ length: at.count }, (_, b) => tenths(at.x(b) + gap / 2));
  const up = new Float64Array(at.count);
  const down = new Float64Array(at.count);
  for (const layer of layers) {
    let path = "";
    layer.values.forEach((value, b) => {
      if (!value) return;
      const stack = value > 0 ? up : down;
      const from = stack[b];
      stack[b] += value;
      path += `M${lefts[b]} ${tenths(at.y(from))}h${width}V${tenths(at.y(stack[b]))}h-${width}z`;
    });
    if (path) box.append(svg("path", { d: path, class: `mark ${hueClass(layer.id)}`, onclick: () => onPick(layer) }));
  }
}

/** The line of the days that the view is compared with. */
function drawBefore(box, at, values) {
  const points = values.map((value, b) => (value === undefined || b >= at.count ? "" : `${at.x(b) + at.step / 2} ${at.y(value)}`)).filter(Boolean);
  if (points.length) box.append(svg("path", { d: `M${points.join("L")}`, class: "before" }));
}
