// The frame of bars and lines: width, a scale from nought, three light lines, labels of days.

const HEIGHT = 264;
const EDGE = { top: 18, right: 8, bottom: 22, left: 58 };

/** A round number at or above a value, so that a third of it is round too. */
function roundedUp(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((one) => one * power).find((one) => one >= value * 0.999) ?? 10 * power;
}

function frame(width, count, low, high) {
  const top = roundedUp(high);
  const bottom = low < 0 ? -roundedUp(-low) : 0;
  const inner = { width: width - EDGE.left - EDGE.right, height: HEIGHT - EDGE.top - EDGE.bottom };
  const step = inner.width / Math.max(1, count);
  return {
    width, count, step, top, bottom,
    x: (b) => EDGE.left + b * step,
    y: (value) => EDGE.top + inner.height * (1 - (value - bottom) / (top - bottom)),
    bucketAt: (x) => Math.min(count - 1, Math.max(0, Math.floor((x - EDGE.left) / step))),
  };
}

function drawAxes(box, at, unit, list, grain) {
  const ticks = at.bottom < 0 ? [at.bottom, 0, at.top / 2, at.top] : [0, at.top / 3, (2 * at.top) / 3, at.top];
  for (const tick of ticks) {
    const y = at.y(tick);
    box.append(svg("line", { x1: EDGE.left, x2: at.width - EDGE.right, y1: y, y2: y, class: tick === 0 ? "zero" : "grid" }));
    if (tick && Math.abs(y - at.y(0)) < 14) continue; // its label would cover that of nought
    box.append(svg("text", { x: EDGE.left - 8, y: y + 4, "text-anchor": "end", text: axisText(unit, tick) }));
  }
  box.append(svg("text", { x: EDGE.left, y: 10, text: unit.short, class: "unit" }));
  const every = Math.ceil(list.length / Math.max(2, Math.floor(at.width / 76)));
  list.forEach((bucket, b) => {
    if (b % every || (b && at.width - at.x(b) < 44)) return;
    const label = grain === "month" ? bucket.label.split(",")[0] : shortDay(bucket.first);
    box.append(svg("text", { x: at.x(b) + Math.min(2, at.step / 2), y: HEIGHT - 6, text: label }));
  });
}
