// Making elements, of SVG and of HTML. Text goes in as text: no name becomes markup.

const SVG = "http://www.w3.org/2000/svg";

function filled(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (key === "text") made.textContent = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== null && child !== ""));
  return made;
}

const svg = (name, attributes = {}, ...children) => filled(document.createElementNS(SVG, name), attributes, children);
const html = (name, attributes = {}, ...children) => filled(document.createElement(name), attributes, children);
const byId = (id) => document.getElementById(id);

/** A coordinate: a tenth of a pixel is exact enough, and short. */
const tenths = (value) => Math.round(value * 10) / 10;
