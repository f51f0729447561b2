// What is drawn over the bars: provisional and missing days, flags, the budget line, the forecast.

/** Provisional buckets are hatched, missing ones shaded. */
function drawStates(box, at, list) {
  list.forEach((bucket, b) => {
    const letters = lettersOf([bucket.first, bucket.last]);
    const kind = letters.includes("m") ? "missing" : letters.includes("p") ? "provisional" : "";
    if (!kind) return;
    box.append(svg("rect", { x: at.x(b), y: EDGE.top, width: at.step, height: HEIGHT - EDGE.top - EDGE.bottom, class: kind }));
  });
}

/** The flags in view: those whose subject the filters let through. */
function flagsIn(state, list) {
  const known = Object.entries(state.filters).filter(([, values]) => values.length);
  return source.flags.flatMap((flag) => {
    const day = positionOf(flag.day);
    const b = list.findIndex((bucket) => bucket.first <= day && day <= bucket.last);
    const isOther = known.some(([id, values]) => id === flag.kind && !values.includes(flag.member));
    return b < 0 || isOther || (known.length && !known.some(([id]) => id === flag.kind) && !touches(flag, state.filters)) ? [] : [{ ...flag, b }];
  });
}

/** Whether any dollars of a flag's subject are in view. */
function touches(flag, filters) {
  if (!dimensionOf[flag.kind]) return true;
  return kept(facts.spend, { ...filters, [flag.kind]: [flag.member] }).includes(1);
}

function drawFlags(box, at, flags) {
  const height = new Map();
  for (const flag of flags) {
    const level = height.get(flag.b) ?? 0;
    height.set(flag.b, level + 1);
    const [x, y] = [at.x(flag.b) + at.step / 2, EDGE.top + 2 + level * 13];
    const isOpen = flag.state === "open" || flag.state === "growing";
    const link = svg("a", { href: `#flag-${flag.id}`, class: `flag ${isOpen ? "open" : "closed"}`, "aria-label": `Unusual spend on ${flag.day}: ${flag.title}` });
    link.append(
      svg("line", { x1: x, x2: x, y1: y, y2: y + 16 }),
      svg("path", { d: `M${x} ${y}l9 4l-9 4z` }),
      svg("rect", { x: x - 5, y: y - 4, width: 18, height: 24, class: "target" }),
    );
    link.addEventListener("click", (event) => {
      event.preventDefault();
      showCard(flag, link);
    });
    link.addEventListener("mouseenter", () => showCard(flag, link));
    link.addEventListener("focus", () => showCard(flag, link));
    box.append(link);
  }
}

/** The budget or forecast of exactly what is filtered, if there is one. */
function ofExactly(list, filters) {
  const known = Object.entries(filters).filter(([, values]) => values.length);
  return list.find((one) => {
    const wanted = Object.entries(one.filter);
    return wanted.length === known.length && wanted.every(([id, value]) => (filters[id] ?? []).join() === value);
  });
}

/** What a budget allows in a bucket: its limit in even days. */
function allowance(budget, grain) {
  const days = positionOf(budget.last) - positionOf(budget.first) + 1;
  const isMonth = grain === "month" && days >= 28 && days <= 31;
  return isMonth ? budget.limit : (budget.limit / days) * (grain === "week" ? 7 : grain === "month" ? 30 : 1);
}

function drawBudget(box, at, budget, grain) {
  const value = allowance(budget, grain);
  if (value > at.top) return;
  const [y, label] = [at.y(value), `budget ${budget.name}: ${axisText(UNITS.usd, value)} a ${grain}`];
  box.append(
    svg("line", { x1: EDGE.left, x2: at.width - EDGE.right, y1: y, y2: y, class: "limit" }),
    svg("text", { x: EDGE.left + 4, y: y - 4, class: "limit-label", text: label }),
  );
}

/** The forecast of the days that are left of the month: the average of a day, with its 80 % range. */
function drawForecast(box, at, list, forecast) {
  const from = list.findIndex((bucket) => bucket.first > positionOf(forecast.first));
  if (from < 0) return;
  const [x, end] = [at.x(from), at.x(list.length)];
  const clipped = (value) => at.y(Math.min(at.top, value));
  box.append(
    svg("rect", { x, y: clipped(forecast.high), width: end - x, height: Math.max(1, clipped(forecast.low) - clipped(forecast.high)), class: "band" }),
    svg("line", { x1: x, x2: end, y1: clipped(forecast.daily), y2: clipped(forecast.daily), class: "forecast" }),
  );
}
