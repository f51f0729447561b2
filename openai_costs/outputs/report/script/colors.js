// Colours belong to things: a member has the colour that the hash of its id gives it, everywhere.
// Eight hues in two tones each (style/explorer.css).

const HUES = 16;
const SEED = 2166136779;

function hueOf(id) {
  if (id === "~none") return "none";
  if (id === "~rest") return "rest";
  let hash = SEED;
  for (let i = 0; i < id.length; i += 1) hash = Math.imul(hash ^ id.charCodeAt(i), 16777619);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 2246822507);
  return String((hash >>> 13) % HUES);
}

const hueClass = (id) => `hue-${hueOf(id)}`;
