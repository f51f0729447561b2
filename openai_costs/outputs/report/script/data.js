// The embedded data: members of dimensions, and facts as typed arrays.
// A series is one combination of all dimensions; a row is a series on a day.

const ARRAYS = { Uint16: Uint16Array, Int32: Int32Array, Uint32: Uint32Array, Float64: Float64Array };
const BYTES = { Uint16: 2, Int32: 4, Uint32: 4, Float64: 8 };

const source = JSON.parse(document.getElementById("data").textContent);
const dimensions = source ? source.dimensions : [];
const dimensionOf = Object.fromEntries(dimensions.map((one) => [one.id, one]));
for (const one of dimensions) one.position = new Map(one.ids.map((id, i) => [id, i]));

/** Whether dollars of a dimension are worth grouping: more than one member has any. */
const isVaried = (id) => dimensionOf[id].ids.length > 2;

async function inflated(text) {
  const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Response(stream).arrayBuffer();
}

async function unpacked(packed) {
  const buffer = await inflated(packed.data);
  const facts = { length: 0 };
  let offset = 0;
  for (const [name, kind, length] of packed.columns) {
    const isDays = name === "day";
    facts[isDays ? "days" : name === "series" ? "rows" : name] = new ARRAYS[kind](buffer, offset, length);
    offset += Math.ceil((length * BYTES[kind]) / 8) * 8;
  }
  for (const steps of [facts.rows, facts.days]) for (let i = 1; i < steps.length; i += 1) steps[i] += steps[i - 1];
  facts.length = facts.rows.length;
  facts.series = facts.provider.length;
  return facts;
}

const facts = { spend: null, usage: null };

async function loadFacts() {
  [facts.spend, facts.usage] = await Promise.all([unpacked(source.spend), unpacked(source.usage)]);
  const { dollars, billionths, length } = facts.spend;
  // For the height of a bar only; totals are added up exactly.
  facts.spend.near = new Float64Array(length);
  for (let i = 0; i < length; i += 1) facts.spend.near[i] = dollars[i] + billionths[i] / 1e9;
}
