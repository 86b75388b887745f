// Times for people, in their zone and language.

const DAY_MS = 86_400_000;
/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const AGO_UNITS = [['day', DAY_MS], ['hour', 3_600_000], ['minute', 60_000]];

const clockTime = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const timeAndDay = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const fullTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const date = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const dateWithYear = new Intl.DateTimeFormat(undefined, { dateStyle: 'long' });

/** @param {string} iso */
export function timeText(iso) {
  return clockTime.format(new Date(iso));
}

const ago = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

/**
 * "5 minutes ago"
 * @param {string} iso
 * @param {number} nowMs
 */
export function agoText(iso, nowMs) {
  const ageMs = nowMs - Date.parse(iso);
  const unit = AGO_UNITS.find(([, ms]) => ageMs >= ms);
  return unit ? ago.format(-Math.floor(ageMs / unit[1]), unit[0]) : 'just now';
}

/** @param {string} iso */
export function fullTimeText(iso) {
  return fullTime.format(new Date(iso));
}

/**
 * "Sunday, 9:41"
 * @param {string} iso
 */
export function timeAndDayText(iso) {
  return timeAndDay.format(new Date(iso));
}

/**
 * The calendar day in the viewer's zone as a number, to compare and subtract.
 * @param {Date} time
 */
function dayNumber(time) {
  return Math.round(Date.UTC(time.getFullYear(), time.getMonth(), time.getDate()) / DAY_MS);
}

/**
 * @param {string} a
 * @param {string} b
 */
export function sameDay(a, b) {
  return dayNumber(new Date(a)) === dayNumber(new Date(b));
}

/**
 * @param {string} iso
 * @param {number} nowMs
 */
export function dayText(iso, nowMs) {
  const time = new Date(iso);
  const now = new Date(nowMs);
  const age = dayNumber(now) - dayNumber(time);
  if (age === 0) return 'Today';
  if (age === 1) return 'Yesterday';
  return (time.getFullYear() === now.getFullYear() ? date : dateWithYear).format(time);
}
