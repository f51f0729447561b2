// The embedded data: members of dimensions, and facts as typed arrays.
// A series is one combination of all dimensions; a row is a series on a day. The rows of a series
// stand together, so that a filter passes over all of them at once.

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
  const table = {};
  let offset = 0;
  for (const [name, kind, length] of packed.columns) {
    table[name] = new ARRAYS[kind](buffer, offset, length);
    offset += Math.ceil((length * BYTES[kind]) / 8) * 8;
  }
  table.starts = startsOf(table.series, table.provider.length);
  for (let i = 1; i < table.day.length; i += 1) table.day[i] += table.day[i - 1];
  table.series = table.provider.length;
  return table;
}

/** Where the rows of each series begin: they lie one after the other, by day. */
function startsOf(steps, count) {
  const starts = new Uint32Array(count + 1).fill(steps.length);
  let series = -1;
  let here = 0;
  for (let i = 0; i < steps.length; i += 1) {
    here += steps[i];
    while (series < here) starts[series += 1] = i;
  }
  return starts;
}

const facts = { spend: null, usage: null };

async function loadFacts() {
  [facts.spend, facts.usage] = await Promise.all([unpacked(source.spend), unpacked(source.usage)]);
}
