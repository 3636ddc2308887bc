import { type CalendarEvent, everFires, parseCalendar } from './calendar.ts';
import { describeCalendar } from './calendar-words.ts';

/** Why a schedule is refused: continues "schedule of pve_backup_job:nightly". */
export interface CalendarTrap {
  readonly says: string;
  readonly hint: string;
}

const safe = 'write the hour and the minute, such as "02:30" or "mon..fri 22:00"';

/**
 * Why a schedule is refused: Proxmox does not take it, or takes it for something else than it looks like. Null: it means what it says.
 * Its manual itself gives `mon..fri 22` for ten in the evening, and it is minute 22 of every hour.
 */
export function calendarTrap(text: string): CalendarTrap | null {
  const shown = JSON.stringify(text);
  if (text.length > 128)
    return {
      says: 'is longer than 128 characters, which Proxmox refuses',
      hint: 'split it into several jobs',
    };
  const event = parseCalendar(text);
  if (event === null) return { says: `is ${shown}, which Proxmox refuses`, hint: unknownHint(text) };
  const hint = misread(text, event);
  if (hint === null) return null;
  const means = everFires(event) ? describeCalendar(event) : 'never: no such day exists';
  return { says: `is ${shown}, which Proxmox takes for: ${means}`, hint };
}

/** What was probably meant by a text that is no calendar event. */
function unknownHint(text: string): string {
  if (text.startsWith('@'))
    return `write ${JSON.stringify(text.slice(1).toLowerCase())} without the @ of cron`;
  if (/^\S+( +\S+){4}$/.test(text.trim())) return `that is a line of cron; ${safe}`;
  if (/[a-z]{3,}-[a-z]{3,}/i.test(text) && !/semi/i.test(text))
    return 'a range of weekdays is written with two dots: "mon..fri 02:00"';
  if (/^[A-Z][A-Za-z-]+$/.test(text) && parseCalendar(text.toLowerCase()) !== null)
    return `write it in small letters: ${JSON.stringify(text.toLowerCase())}`;
  if (/[A-Za-z]+\/[A-Za-z_]+$|\b(?!UTC)[A-Z]{3,4}$/.test(text))
    return 'it knows no time zones but UTC; leave it out for the time of the host';
  if (/~/.test(text)) return 'days cannot be counted from the end of a month here';
  return safe;
}

function misread(text: string, event: CalendarEvent): string | null {
  const time = timeOf(text);
  if (!everFires(event)) return 'there is no such day; correct the month or the day';
  if (event.year !== null) return 'it would end with that year; leave the year out';
  if (time === '') return null;
  const parts = time.split(':');
  const [first = '', second] = parts;
  if (parts.length === 1) return /^(\*|\d+)\/\d+$/.test(time) ? null : hourless(first);
  // What cannot be an hour becomes the minute, and the minute the second.
  if (/^\d+$/.test(first) && Number(first) > 23)
    return `hours go from 0 to 23; midnight is "00:00", minute ${Number(first)} of every hour "*:${first}"`;
  if (parts.length === 3 && !(/^(\d+|\*)$/.test(second ?? '') && /^0+$/.test(parts[2] ?? '')))
    return several(time);
  if (parts.length === 2 && !isMinutes(second ?? ''))
    return 'ranges and lists behind the colon are minutes; for several hours write "2,14:30" or "1..3:00"';
  return null;
}

/** The part behind weekdays and date. */
function timeOf(text: string): string {
  const bare = text.replace(/ *UTC$/, '');
  if (/^[a-z-]+$/.test(bare)) return '';
  const last = bare.split(/[ \t]+/).at(-1) ?? '';
  const behindDays = last.replace(/^[A-Za-z.,]*[A-Za-z]/, '');
  return behindDays.includes('-') ? '' : behindDays;
}

function hourless(minutes: string): string {
  const hours = /^\d+$/.test(minutes) && Number(minutes) < 24;
  if (!hours) return `a number without a colon is a minute; ${safe}`;
  return `a number without a colon is a minute; write "${minutes.padStart(2, '0')}:00", or "*:${minutes}" for that minute of every hour`;
}

function several(time: string): string {
  const [first = '', middle = '', last = ''] = time.split(':');
  const list = /^(\d+),(\d+)$/.exec(middle);
  if (list?.[1] === last) return `for two times of a day write "${Number(first)},${list[2]}:${last}"`;
  const range = /^(\d+)\.\.(\d+)$/.exec(middle);
  if (range?.[1] === last)
    return `for every hour from ${first} to ${range[2]} write "${first}..${range[2]}:${last}"`;
  return 'behind the second colon are seconds; for several times write one job for each, or lists of hours: "2,14:30"';
}

/** One minute, ascending ones, or steps; not a run of minutes: nothing is backed up every minute. */
function isMinutes(text: string): boolean {
  if (/^(\d+|\*|\*\/\d+|\d+\/\d+|\d+\.\.\d+\/\d+)$/.test(text)) return true;
  if (!/^\d+(,\d+)+$/.test(text)) return false;
  const values = text.split(',').map(Number);
  return values.every((value, index) => index === 0 || value > (values[index - 1] ?? 0));
}
