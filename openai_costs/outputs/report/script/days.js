// Days: positions from the page's first day, ranges, and the days, weeks and months of a chart.
// All days are UTC.

const DAY = 86_400_000;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const GRAINS = { day: "Day", week: "Week", month: "Month" };

let firstDay = 0;
let states = "";

function setDays(first, letters) {
  firstDay = Date.parse(`${first}T00:00:00Z`);
  states = letters;
}

const lastPosition = () => states.length - 1;
const dateAt = (position) => new Date(firstDay + position * DAY);
const isoAt = (position) => dateAt(position).toISOString().slice(0, 10);

/** Whether the page has any day of a range. */
const isOfPage = ([first, last]) => first <= lastPosition() && last >= 0;

/** The letters of the days of a range that the page has. */
const lettersOf = ([first, last], letters = states) => letters.slice(Math.max(0, first), Math.max(0, last + 1));

/** The position of "2026-11-01"; NaN when it is not a day. */
function positionOf(iso) {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(iso)) return NaN;
  const date = new Date(`${iso}T00:00:00Z`);
  const isDay = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(iso);
  return isDay ? Math.round((date - firstDay) / DAY) : NaN;
}

function shortDay(position) {
  const date = dateAt(position);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
}

function longDay(position) {
  const date = dateAt(position);
  return `${WEEKDAYS[date.getUTCDay()]} ${shortDay(position)} ${date.getUTCFullYear()}`;
}

const spanText = (first, last) => (first === last ? isoAt(first) : `${isoAt(first)} to ${isoAt(last)}`);

/** The same day so many months before, at most the last of that month. */
function monthsBefore(position, months) {
  const date = dateAt(position);
  const end = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1 - months, 0));
  const day = Math.min(date.getUTCDate(), end.getUTCDate());
  return Math.round((Date.UTC(end.getUTCFullYear(), end.getUTCMonth(), day) - firstDay) / DAY);
}

const isMonthEnd = (position) => dateAt(position + 1).getUTCDate() === 1;

function monthEnd(position) {
  const date = dateAt(position);
  return Math.round((Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0) - firstDay) / DAY);
}

function monthStart(position) {
  return position - dateAt(position).getUTCDate() + 1;
}

const MONTHS_OF = { last_month: 1, last_year: 12 };

/** The days to compare a range with; null when nothing is compared. */
function comparedRange([first, last], kind) {
  if (kind === "previous") return [2 * first - last - 1, first - 1];
  const months = MONTHS_OF[kind];
  return months ? [monthsBefore(first, months), monthsBefore(last, months)] : null;
}

/**
 * The days of a range that are compared, as the first screen and bi.months have them: without those at
 * its end that were not over when they were read, and of a month no more than the month before has.
 * Null where no day is left, and where the page has none.
 */
function comparableRange({ range: [first, last], compare, filters }) {
  if (!isOfPage([first, last])) return null;
  let end = last;
  while (end >= first && isUnfinished(end, filters)) end -= 1;
  if (end < first) return null;
  const months = MONTHS_OF[compare];
  if (!months || monthStart(first) !== monthStart(end)) return [first, end];
  const clipped = dateAt(end).getUTCDate() - dateAt(monthsBefore(end, months)).getUTCDate();
  return [first, Math.max(first, end - clipped)];
}

/** The connections in view: those of a filter, or all. */
const connectionsIn = ({ connection }) => (connection?.length ? connection : Object.keys(source.read));

/** Whether a day was not over when it was read from a connection in view. */
const isUnfinished = (day, filters) => connectionsIn(filters).some((id) => source.read[id]?.[day] === "u");

/**
 * The connections of which some days of two ranges were read, and not all of them: their dollars
 * cannot be compared, since a missing day is not a day without spend, and a part is not a day.
 */
function partlyRead(ranges, connections) {
  const letters = (id) => ranges.map((range) => lettersOf(range, source.read[id] ?? "")).join("");
  return connections.filter((id) => /[spu]/.test(letters(id)) && /[um-]/.test(letters(id)));
}

/** The buckets of a range: first and last position of each, with what it is called. */
function buckets([first, last], grain) {
  const list = [];
  for (let day = first; day <= last; ) {
    const date = dateAt(day);
    const length = grain === "month" ? monthEnd(day) - day : grain === "week" ? (7 - date.getUTCDay()) % 7 : 0;
    const end = Math.min(last, day + length);
    list.push({ first: day, last: end, label: bucketLabel(day, end, grain) });
    day = end + 1;
  }
  return list;
}

function bucketLabel(first, last, grain) {
  if (grain === "day") return longDay(first);
  if (grain === "week") return `Week, ${spanText(first, last)}`;
  const date = dateAt(first);
  const whole = date.getUTCDate() === 1 && isMonthEnd(last);
  return `${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}${whole ? "" : `, ${spanText(first, last)}`}`;
}
