// Connection, dimension and range: what is filled again when one of them changes.

const pair = (parent, ...parts) => {
  const made = element(parent);
  made.append(...parts);
  return made;
};
const fillTexts = () => {
  for (const [id, text] of Object.entries(view().texts)) $(id).textContent = text;
  $("headlines").replaceChildren(...view().headlines.map(([label, value, note]) =>
    pair("div", element("dt", label), element("dd", value, "value"), element("dd", note, "note"))));
  $("questions").replaceChildren(...view().questions.map(([title, sentence]) =>
    pair("li", element("strong", title), " ", element("span", sentence))));
  $("no-questions").hidden = view().questions.length > 0;
  let restated = 0;
  for (const each of document.querySelectorAll("[data-connection]")) {
    each.hidden = !view().connections.includes(Number(each.dataset.connection));
    if (each.tagName === "TR" && !each.hidden) restated += 1;
  }
  $("no-restatements").hidden = restated > 0;
  if ($("restatements")) $("restatements").hidden = restated === 0;
};
const fillRanges = () => {
  const current = period() && period().id;
  $("ranges").replaceChildren($("ranges").querySelector("legend"), ...view().periods.map(({ id }) => {
    const radio = element("input");
    Object.assign(radio, { type: "radio", name: "period", value: id, checked: id === current });
    return pair("label", radio, element("span", id === "all" ? "All days" : id + " days"));
  }));
};
const fillPeriod = () => {
  chosen.day = null;
  document.querySelectorAll(".numbers").forEach((each) => { each.hidden = !period(); });
  $("empty").hidden = Boolean(period());
  if (!period()) return;
  const { title, compared } = period();
  $("period").textContent = title + (compared ? "; change from the " + compared : "") + ". USD.";
  document.querySelectorAll(".ranking").forEach(fillTable);
  draw();
};
const draw = () => {
  drawChart();
  fillLegend();
  fillDays();
};
if (!data.views[0].periods.length) return;
document.querySelectorAll("[data-needs-script]").forEach((each) => { each.hidden = false; });
document.addEventListener("change", (event) => {
  const { name, id, value } = event.target;
  if (name === "dimension") { chosen.dimension = Number(value); chosen.day = null; draw(); }
  if (name === "period") { chosen.period = value; fillPeriod(); }
  if (id === "view") { chosen.view = Number(value); fillTexts(); fillRanges(); fillPeriod(); }
});
$("days").addEventListener("toggle", fillDays);
let width = 0;
new ResizeObserver(([entry]) => {
  if (Math.round(entry.contentRect.width) === width) return;
  width = Math.round(entry.contentRect.width);
  if (width && period()) draw();
}).observe($("chart"));
fillRanges();
fillPeriod();
