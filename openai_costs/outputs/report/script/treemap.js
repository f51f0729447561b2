// A treemap: areas in proportion to what is above nought, squarified; click narrows.
// Grouped by two, a cell holds its parts.

const HEAD = 20;

/** Where each cell stands in a box; the largest first. */
function placed(cells, box) {
  const queue = cells.filter((cell) => cell.value > 0).sort((a, b) => b.value - a.value);
  let left = queue.reduce((sum, cell) => sum + cell.value, 0);
  let rest = box;
  const places = [];
  for (let start = 0; start < queue.length; ) {
    const end = rowEnd(queue, start, rest, left);
    const row = queue.slice(start, end);
    const sum = row.reduce((total, cell) => total + cell.value, 0);
    rest = placeRow(places, rest, row, sum, left);
    left -= sum;
    start = end;
  }
  return places;
}

/** The end of a row: cells are added while the worst of its cells becomes no longer. */
function rowEnd(queue, start, rest, left) {
  const side = Math.min(rest.width, rest.height);
  const scale = (rest.width * rest.height) / left;
  const worst = (sum, least) => {
    const [area, most, small] = [sum * scale, queue[start].value * scale, least * scale];
    return Math.max((side * side * most) / (area * area), (area * area) / (side * side * small));
  };
  let sum = queue[start].value;
  let end = start + 1;
  for (let best = worst(sum, sum); end < queue.length; end += 1) {
    const longest = worst(sum + queue[end].value, queue[end].value);
    if (longest > best) break;
    best = longest;
    sum += queue[end].value;
  }
  return end;
}

function placeRow(places, rest, row, sum, left) {
  const isWide = rest.width >= rest.height;
  const depth = (isWide ? rest.width : rest.height) * (sum / left);
  let along = isWide ? rest.y : rest.x;
  for (const cell of row) {
    const length = (isWide ? rest.height : rest.width) * (cell.value / sum);
    places.push(isWide ? { cell, x: rest.x, y: along, width: depth, height: length } : { cell, x: along, y: rest.y, width: length, height: depth });
    along += length;
  }
  return isWide ? { ...rest, x: rest.x + depth, width: rest.width - depth } : { ...rest, y: rest.y + depth, height: rest.height - depth };
}

/** Draws the cells; those that are large enough with the parts that `partsOf` has of them. */
function drawTreemap(box, width, height, cells, onPick, parts) {
  for (const place of placed(cells, { x: 0, y: 0, width, height })) {
    const { cell } = place;
    if (!parts || place.width < 48 || place.height < 48) drawCell(box, place, cell, () => onPick(cell));
    else drawParts(box, place, parts(cell), onPick);
  }
}

function drawParts(box, place, parts, onPick) {
  const { cell } = place;
  const inner = { x: place.x + 2, y: place.y + HEAD, width: place.width - 4, height: place.height - HEAD - 2 };
  const group = svg("g", { class: "cell whole", onclick: () => onPick(cell) });
  group.append(
    svg("title", { text: `${cell.name}: ${cell.text}` }),
    svg("rect", { x: place.x + 1, y: place.y + 1, width: place.width - 2, height: place.height - 2 }),
    svg("text", { x: place.x + 6, y: place.y + 14, text: fitted(`${cell.name} ${cell.text}`, place.width) || fitted(cell.name, place.width) }),
  );
  box.append(group);
  for (const part of placed(parts, inner)) drawCell(box, part, part.cell, () => onPick(cell, part.cell), `${cell.name}, `);
}

function drawCell(box, place, cell, onPick, of = "") {
  const group = svg("g", { class: "cell", onclick: onPick });
  group.append(
    svg("title", { text: `${of}${cell.name}: ${cell.text}` }),
    svg("rect", { x: place.x + 1, y: place.y + 1, width: Math.max(0, place.width - 2), height: Math.max(0, place.height - 2), class: hueClass(cell.id) }),
  );
  if (place.height > 36 && place.width > 48) {
    group.append(svg("text", { x: place.x + 8, y: place.y + 18, text: shortened(cell.name, place.width) }), svg("text", { x: place.x + 8, y: place.y + 34, text: fitted(cell.text, place.width) }));
  }
  box.append(group);
}

const roomOf = (width) => Math.floor((width - 12) / 7);
const fitted = (text, width) => (text.length > roomOf(width) ? "" : text);
const shortened = (text, width) => fitted(text, width) || `${text.slice(0, Math.max(1, roomOf(width) - 1))}\u2026`;
