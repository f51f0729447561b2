// Filters: a chip for each dimension that is narrowed, and a list of members to choose from.

const MOST_CHOICES = 200;

function drawChips(state, go) {
  const chips = Object.entries(state.filters)
    .filter(([, values]) => values.length)
    .map(([id, values]) => chip(state, id, values, go));
  byId("chips").replaceChildren(...chips);
  byId("clear").hidden = chips.length < 2;
}

function chip(state, id, values, go) {
  const dimension = dimensionOf[id];
  const names = values.map((value) => dimension.names[dimension.position.get(value)] ?? `${value} (unknown)`);
  const text = names.length > 3 ? `${names.slice(0, 2).join(", ")} and ${names.length - 2} more` : names.join(", ");
  const filters = { ...state.filters };
  delete filters[id];
  return html("li", {}, html("span", { class: "quiet", text: `${dimension.title} ` }), html("span", { text, title: names.join(", ") }),
    html("button", { type: "button", "aria-label": `Remove filter ${dimension.title} ${text}`, text: "\u00d7", onclick: () => go({ ...state, filters }) }));
}

/** The list of members of the chosen dimension, with their dollars under all other filters. */
function drawChoices(state, go) {
  const id = byId("filter-dimension").value;
  const dimension = dimensionOf[id];
  const others = { ...state.filters, [id]: [] };
  const result = sums(others, id, [{ first: state.range[0], last: state.range[1] }]);
  const chosen = new Set(state.filters[id] ?? []);
  const wanted = byId("filter-text").value.toLowerCase();
  const groups = ordered(result, (g) => near(result.usd[g]));
  const listed = groups.filter((g) => `${dimension.names[g]} ${dimension.ids[g]}`.toLowerCase().includes(wanted)).slice(0, MOST_CHOICES);
  byId("choices").replaceChildren(...listed.map((g) => {
    const box = html("input", { type: "checkbox", checked: chosen.has(dimension.ids[g]) });
    box.addEventListener("change", () => {
      if (box.checked) chosen.add(dimension.ids[g]);
      else chosen.delete(dimension.ids[g]);
      go({ ...state, filters: { ...state.filters, [id]: [...chosen] } });
    });
    return html("li", {}, html("label", {}, box, html("span", { text: dimension.names[g] }), html("span", { class: "quiet usd", text: dollarText(result.usd[g]) })));
  }));
}
