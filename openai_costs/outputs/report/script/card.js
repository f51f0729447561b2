// The card of a flag: what happened, how much above expected, who and what, and its finding.

function showCard(flag, near_) {
  const card = byId("card");
  const isOpen = flag.state === "open" || flag.state === "growing";
  card.replaceChildren(
    html("p", {}, html("strong", { text: flag.title }), html("span", { class: "quiet", text: ` on ${flag.day}` })),
    html("p", { text: `${flag.above}.` }),
    html("ul", {}, ...flag.causes.map((text) => html("li", { text }))),
    html("p", { class: "card-links" },
      html("a", { href: flag.address, text: "Show these days" }),
      flag.id ? html("a", { href: `#finding-${flag.id}`, text: `Finding, ${flag.state}` }) : html("span", { class: "quiet", text: "No finding: below the thresholds, or it recurs every month" }),
    ),
    isOpen ? html("code", { text: `openai-costs mute ${flag.id} --reason WHY --until DAY` }) : "",
    html("button", { type: "button", class: "close", "aria-label": "Close", text: "\u00d7", onclick: hideCard }),
  );
  card.hidden = false;
  const [place, room] = [near_.getBoundingClientRect(), byId("chart").getBoundingClientRect()];
  const left = Math.min(Math.max(0, place.left - room.left - 20), Math.max(0, room.width - card.offsetWidth));
  card.style.left = `${left}px`;
  card.style.top = `${place.bottom - room.top + 6}px`;
}

function hideCard() {
  byId("card").hidden = true;
}
