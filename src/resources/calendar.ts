/**
 * A calendar event as Proxmox VE and Proxmox Backup Server understand it. Each list holds the numbers at which it fires, ascending;
 * null: at every one. Weekdays are 0 (Monday) to 6 (Sunday).
 */
export interface CalendarEvent {
  readonly days: readonly number[] | null;
  readonly year: readonly number[] | null;
  readonly month: readonly number[] | null;
  readonly day: readonly number[] | null;
  readonly hour: readonly number[] | null;
  readonly minute: readonly number[] | null;
  readonly second: readonly number[] | null;
  readonly utc: boolean;
}

/** The grammar takes years up to this one. */
const lastYear = 2199;

const midnight = { hour: [0], minute: [0], second: [0] };
/** These count only as the whole text, and only in small letters. */
const words = new Map<string, Partial<CalendarEvent>>(
  Object.entries({
    minutely: { second: [0] },
    hourly: { minute: [0], second: [0] },
    daily: midnight,
    weekly: { ...midnight, days: [0] },
    monthly: { ...midnight, day: [1] },
    quarterly: { ...midnight, day: [1], month: [1, 4, 7, 10] },
    semiannually: { ...midnight, day: [1], month: [1, 7] },
    'semi-annually': { ...midnight, day: [1], month: [1, 7] },
    yearly: { ...midnight, day: [1], month: [1] },
    annually: { ...midnight, day: [1], month: [1] },
  }),
);

const always: CalendarEvent = {
  days: null,
  year: null,
  month: null,
  day: null,
  hour: null,
  minute: null,
  second: null,
  utc: false,
};

/**
 * What Proxmox makes of a text, or null when it refuses it. It is not systemd's grammar: an hour cannot stand without a minute, and a
 * part that does not fit where it stands is tried in the next place, without a word.
 */
export function parseCalendar(text: string): CalendarEvent | null {
  const utc = text.endsWith('UTC');
  let rest = utc ? text.slice(0, -3).replace(/ +$/, '') : text;
  const word = words.get(rest);
  if (word !== undefined) return { ...always, ...word, utc };
  const days = /^[A-Za-z]/.test(rest) ? takeDays(rest) : undefined;
  if (days === null) return null;
  if (days !== undefined) rest = unindented(days.rest);
  const date = takeDate(rest);
  if (date !== null) rest = unindented(date.rest);
  const time = takeTime(rest);
  rest = time === null ? rest : time.rest;
  if (rest !== '' || (days === undefined && date === null && time === null)) return null;
  return {
    ...always,
    ...date?.found,
    ...(time?.found ?? midnight),
    days: days === undefined || days.found.length === 7 ? null : days.found,
    utc,
  };
}

function unindented(text: string): string {
  return text.replace(/^[ \t]+/, '');
}

interface Taken<Found> {
  readonly found: Found;
  readonly rest: string;
}

const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];

/** `mon..wed,fri`, in any case; a range may go over Sunday. */
function takeDays(text: string): Taken<number[]> | null {
  const found = new Set<number>();
  for (let rest = text; ; ) {
    const word = /^[A-Za-z]+/.exec(rest)?.[0] ?? '';
    const from = weekday(word);
    if (from < 0) return null;
    rest = rest.slice(word.length);
    const end = /^\.\.([A-Za-z]+)/.exec(rest);
    const to = end === null ? from : weekday(end[1] ?? '');
    // A range that has no end is none, and what is left of it fits nowhere.
    if (to < 0) return null;
    rest = rest.slice(end?.[0].length ?? 0);
    for (let day = from; ; day = (day + 1) % 7) {
      found.add(day);
      if (day === to) break;
    }
    if (!/^,[A-Za-z]/.test(rest)) return { found: [...found].sort((a, b) => a - b), rest };
    rest = rest.slice(1);
  }
}

function weekday(word: string): number {
  const name = word.toLowerCase();
  return weekdays.findIndex((one) => name === one || name === one.slice(0, 3));
}

type DatePart = Pick<CalendarEvent, 'year' | 'month' | 'day'>;

function takeDate(text: string): Taken<DatePart> | null {
  const year = takeList(text, 0, lastYear);
  const full = year && takeAfter('-', year.rest, 1, 12);
  const last = full && takeAfter('-', full.rest, 1, 31);
  if (year && full && last)
    return { found: { year: year.found, month: full.found, day: last.found }, rest: last.rest };
  const month = takeList(text, 1, 12);
  const day = month && takeAfter('-', month.rest, 1, 31);
  if (!month || !day) return null;
  return { found: { year: null, month: month.found, day: day.found }, rest: day.rest };
}

type TimePart = Pick<CalendarEvent, 'hour' | 'minute' | 'second'>;

/** `[HOUR:]MINUTE[:SECOND]`: what cannot be an hour (24) becomes the minute, and what was meant as the minute becomes the second. */
function takeTime(text: string): Taken<TimePart> | null {
  const first = takeList(text, 0, 23);
  const hour = first?.rest.startsWith(':') ? first : null;
  const minute = takeList(hour === null ? text : hour.rest.slice(1), 0, 59);
  if (minute === null) return null;
  const second = takeAfter(':', minute.rest, 0, 59);
  return {
    found: {
      hour: hour?.found ?? null,
      minute: minute.found,
      second: second === null ? [0] : second.found,
    },
    rest: second?.rest ?? minute.rest,
  };
}

function takeAfter(sign: string, text: string, least: number, most: number): Taken<number[] | null> | null {
  return text.startsWith(sign) ? takeList(text.slice(1), least, most) : null;
}

/** Numbers, ranges `a..b`, steps `a/s` and `a..b/s` with commas; or all of them, `*`, or `*` with a step. */
function takeList(text: string, least: number, most: number): Taken<number[] | null> | null {
  if (text.startsWith('*')) {
    const step = /^\*\/(\d+)/.exec(text);
    if (step === null) return text.startsWith('*/') ? null : { found: null, rest: text.slice(1) };
    const by = Number(step[1]);
    if (by > most) return null;
    if (by > 0) return { found: stepped(least, by, most), rest: text.slice(step[0].length) };
    return { found: null, rest: text.slice(1) };
  }
  const found = new Set<number>();
  let rest = text;
  for (;;) {
    const part = takePart(rest, most);
    if (part === null) break;
    for (const value of part.found) found.add(value);
    rest = part.rest;
    // A comma that no further number follows is left for what comes behind, which takes none.
    if (!rest.startsWith(',') || takePart(rest.slice(1), most) === null) break;
    rest = rest.slice(1);
  }
  return found.size === 0 ? null : { found: [...found].sort((a, b) => a - b), rest };
}

function takePart(text: string, most: number): Taken<number[]> | null {
  const match = /^(\d+)(?:\.\.(\d+))?(\/(\d*))?/.exec(text);
  if (match === null) return null;
  const [whole, first, last, slash, by] = match;
  const from = Number(first);
  const to = last === undefined ? undefined : Number(last);
  if (from > most) return null;
  // A range end that is too large makes the range no range; it stays, and fits nowhere.
  if (to !== undefined && to > most) return { found: [from], rest: text.slice((first ?? '').length) };
  if (to !== undefined && from > to) return null;
  if (slash === undefined)
    return { found: to === undefined ? [from] : stepped(from, 1, to), rest: text.slice(whole.length) };
  if (by === '' || Number(by) > most) return null;
  return {
    found: Number(by) === 0 ? [from] : stepped(from, Number(by), to ?? most),
    rest: text.slice(whole.length),
  };
}

/**
 * Seconds of the longest pause between two events; null for one that never fires, or not any more after some year. Hours are those of
 * the clock: the hour that summer time adds or drops is not counted.
 */
export function everySeconds(event: CalendarEvent): number | null {
  const days = longestDays(event);
  if (days === null) return null;
  let first = -1;
  let last = -1;
  let longest = 0;
  for (const hour of event.hour ?? stepped(0, 1, 23))
    for (const minute of event.minute ?? stepped(0, 1, 59))
      for (const second of event.second ?? stepped(0, 1, 59)) {
        const now = (hour * 60 + minute) * 60 + second;
        if (first < 0) first = now;
        else longest = Math.max(longest, now - last);
        last = now;
      }
  return Math.max(longest, days * 86400 - last + first);
}

/** Days from one day with events to the next, at most; null: none, or none after some year. */
function longestDays({ days, year, month, day }: CalendarEvent): number | null {
  if (year !== null) return null;
  if (days === null && month === null && day === null) return 1;
  // The calendar repeats after 400 years; 2000-01-01 was a Saturday.
  let number = 0;
  let last: number | null = null;
  let first: number | null = null;
  let longest = 0;
  for (let y = 2000; y < 2400; y += 1)
    for (let m = 1; m <= 12; m += 1)
      for (let d = 1; d <= monthDays(y, m); d += 1, number += 1) {
        if (month?.includes(m) === false || day?.includes(d) === false) continue;
        if (days?.includes((number + 5) % 7) === false) continue;
        if (last !== null) longest = Math.max(longest, number - last);
        first ??= number;
        last = number;
      }
  return first === null || last === null ? null : Math.max(longest, number - last + first);
}

/** Whether there is a day it fires on. */
export function everFires({ days, month, day }: CalendarEvent): boolean {
  return longestDays({ ...always, days, month, day }) !== null;
}

function monthDays(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

function stepped(from: number, by: number, to: number): number[] {
  return Array.from({ length: Math.floor((to - from) / by) + 1 }, (_, index) => from + index * by);
}
