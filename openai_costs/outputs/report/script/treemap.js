// A treemap: areas in proportion to what is above nought, squarified; click narrows.

function drawTreemap(box, width, height, cells, onPick) {
  const whole = cells.reduce((sum, cell) => sum + cell.value, 0);
  if (!whole) return;
  let rest = { x: 0, y: 0, width, height };
  let left = whole;
  let queue = [...cells].sort((a, b) => b.value - a.value);
  while (queue.length) {
    const side = Math.min(rest.width, rest.height);
    const scale = (rest.width * rest.height) / left;
    let taken = 1;
    while (taken < queue.length && worst(queue.slice(0, taken + 1), side, scale) <= worst(queue.slice(0, taken), side, scale)) taken += 1;
    const row = queue.slice(0, taken);
    queue = queue.slice(taken);
    const sum = row.reduce((total, cell) => total + cell.value, 0);
    rest = drawRow(box, rest, row, sum, left, onPick);
    left -= sum;
  }
}

/** The worst ratio of sides in a row. */
function worst(row, side, scale) {
  const area = row.reduce((sum, cell) => sum + cell.value, 0) * scale;
  return Math.max(...row.map((cell) => {
    const one = cell.value * scale;
    return Math.max((side * side * one) / (area * area), (area * area) / (side * side * one));
  }));
}

function drawRow(box, rest, row, sum, left, onPick) {
  const isWide = rest.width >= rest.height;
  const depth = (isWide ? rest.width : rest.height) * (sum / left);
  let along = isWide ? rest.y : rest.x;
  for (const cell of row) {
    const length = (isWide ? rest.height : rest.width) * (cell.value / sum);
    const place = isWide ? { x: rest.x, y: along, width: depth, height: length } : { x: along, y: rest.y, width: length, height: depth };
    drawCell(box, place, cell, onPick);
    along += length;
  }
  return isWide
    ? { ...rest, x: rest.x + depth, width: rest.width - depth }
    : { ...rest, y: rest.y + depth, height: rest.height - depth };
}

function drawCell(box, place, cell, onPick) {
  const group = svg("g", { class: "cell", onclick: (event) => onPick(cell, event) });
  group.append(
    svg("title", { text: `${cell.name}: ${cell.text}` }),
    svg("rect", { x: place.x + 1, y: place.y + 1, width: Math.max(0, place.width - 2), height: Math.max(0, place.height - 2), class: hueClass(cell.id) }),
  );
  const room = Math.floor((place.width - 12) / 7);
  if (place.height > 36 && room > 4) {
    group.append(
      svg("text", { x: place.x + 8, y: place.y + 18, text: cell.name.length > room ? `${cell.name.slice(0, room - 1)}\u2026` : cell.name }),
      svg("text", { x: place.x + 8, y: place.y + 34, text: cell.text.length > room ? "" : cell.text }),
    );
  }
  box.append(group);
}
