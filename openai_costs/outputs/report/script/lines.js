// Lines: one per member, direct labels at their ends where these do not overlap.

function drawLines(box, at, layers, onPick) {
  const taken = [];
  for (const layer of layers) {
    let path = "";
    let isOpen = false;
    layer.values.forEach((value, b) => {
      if (value === undefined) {
        isOpen = false;
        return;
      }
      path += `${isOpen ? "L" : "M"}${tenths(at.x(b) + at.step / 2)} ${tenths(at.y(value))}`;
      isOpen = true;
    });
    if (!path) continue;
    box.append(
      svg("path", { d: path, class: `line ${hueClass(layer.id)}` }),
      svg("path", { d: path, class: "line-target", onclick: () => onPick(layer) }),
    );
    const last = layer.values.findLast((value) => value !== undefined);
    const y = at.y(last);
    if (taken.every((other) => Math.abs(other - y) > 13) && taken.length < 8) {
      taken.push(y);
      box.append(svg("text", { x: at.width - EDGE.right, y: y - 4, "text-anchor": "end", class: "direct", text: layer.name }));
    }
  }
}
