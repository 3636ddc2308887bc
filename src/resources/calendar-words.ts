import type { CalendarEvent } from './calendar.ts';

const dayNames = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const monthNames = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** More times of a day than this are told as minutes of hours. */
const manyTimes = 6;

/**
 * When it fires, in words: `every day at 02:00`, `at minute 22 of every hour`. Two events that fire at the same times have the same
 * words, and others have others: states are compared by them.
 */
export function describeCalendar(event: CalendarEvent): string {
  const parts = [dayWords(event), timeWords(event), ...(event.utc ? ['UTC'] : [])];
  return parts.filter((part) => part !== '').join(' ');
}

function dayWords({ days, year, month, day, hour }: CalendarEvent): string {
  const names = days === null ? '' : spans(days, (one) => dayNames[one] ?? String(one));
  const years = year === null ? '' : ` in ${spans(year)}`;
  if (month === null && day === null) {
    if (days !== null) return `on ${names}${years}`;
    return hour === null ? years.trim() : `every day${years}`;
  }
  const months =
    month === null ? 'every month' : spans(month, (one) => monthNames[one - 1] ?? `month ${one}`);
  const when = day === null ? `on every day of ${months}` : `on day ${spans(day)} of ${months}`;
  return `${when}${years}${days === null ? '' : ` that is a ${names}`}`;
}

function timeWords({ hour, minute, second }: CalendarEvent): string {
  if (hour !== null && minute !== null && second !== null) {
    const times = hour.flatMap((h) => minute.flatMap((m) => second.map((s) => clock(h, m, s))));
    if (times.length <= manyTimes) return `at ${times.join(' and ')}`;
  }
  const hours = hour === null ? 'every hour' : `hour ${spans(hour)}`;
  const minutes = minute === null ? 'at every minute' : `at minute ${spans(minute)}`;
  if (second === null) return `${minutes} of ${hours}, every second`;
  const seconds = second.length === 1 && second[0] === 0 ? '' : `, at second ${spans(second)}`;
  return `${minutes} of ${hours}${seconds}`;
}

function clock(hour: number, minute: number, second: number): string {
  const parts = second === 0 ? [hour, minute] : [hour, minute, second];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

/** `1 to 5`, `0 to 55 in steps of 5`, or all of them. */
function spans(values: readonly number[], name: (value: number) => string = String): string {
  const [first, second] = values;
  const last = values.at(-1);
  if (values.length < 3 || first === undefined || second === undefined || last === undefined)
    return values.map(name).join(', ');
  const step = second - first;
  const even = values.every((value, index) => value === first + index * step);
  if (!even) return values.map(name).join(', ');
  return `${name(first)} to ${name(last)}${step === 1 ? '' : ` in steps of ${step}`}`;
}
