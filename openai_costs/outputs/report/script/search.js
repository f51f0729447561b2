// Search over everything that has a name: members of all dimensions, findings, sections.
// A combobox: arrows choose, Enter takes, Escape closes.

const MOST_HITS = 12;
let entries = null;

function searchable() {
  entries ??= [
    ...dimensions.flatMap((one) => one.ids.slice(1).map((id, i) => ({ kind: one.title, text: one.names[i + 1], more: id, dimension: one.id, id }))),
    ...[...document.querySelectorAll("section[data-section]")].map((one) => ({ kind: "Section", text: one.querySelector("h2").textContent, more: "", address: `#${one.id}` })),
    ...[...document.querySelectorAll("tr[id^=finding-]")].map((one) => ({ kind: "Finding", text: one.querySelector("th").textContent.trim(), more: one.id, address: `#${one.id}` })),
  ];
  return entries;
}

function hits(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const fit = searchable().filter((one) => words.every((word) => `${one.kind} ${one.text} ${one.more}`.toLowerCase().includes(word)));
  const begins = (one) => (one.text.toLowerCase().startsWith(words[0]) ? 0 : 1);
  return fit.sort((a, b) => begins(a) - begins(b)).slice(0, MOST_HITS);
}

function startSearch(take) {
  const [input, list] = [byId("search"), byId("hits")];
  let shown = [];
  let at = -1;
  const close = () => {
    list.hidden = true;
    at = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const choose = (i) => {
    const hit = shown[i];
    if (!hit) return;
    input.value = "";
    close();
    if (hit.address) location.hash = hit.address;
    else take(hit.dimension, hit.id);
  };
  const mark = (i) => {
    at = (i + shown.length) % shown.length;
    [...list.children].forEach((one, n) => one.setAttribute("aria-selected", String(n === at)));
    input.setAttribute("aria-activedescendant", `hit-${at}`);
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  input.addEventListener("input", () => {
    shown = hits(input.value);
    at = -1;
    list.replaceChildren(...shown.map((hit, i) => html("li", { id: `hit-${i}`, role: "option", "aria-selected": "false", onmousedown: (event) => { event.preventDefault(); choose(i); } },
      html("span", { class: "quiet", text: `${hit.kind} ` }), hit.text)));
    list.hidden = !shown.length;
    input.setAttribute("aria-expanded", String(shown.length > 0));
    byId("hit-count").textContent = input.value ? `${shown.length} found` : "";
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    else if (!shown.length) return;
    else if (event.key === "ArrowDown") mark(at + 1);
    else if (event.key === "ArrowUp") mark(at - 1);
    else if (event.key === "Enter") choose(Math.max(0, at));
    else return;
    event.preventDefault();
  });
  input.addEventListener("blur", close);
}
