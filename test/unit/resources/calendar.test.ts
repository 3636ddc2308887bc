import { describe, expect, test } from 'vitest';
import { everySeconds, parseCalendar } from '../../../src/resources/calendar.ts';
import { calendarTrap } from '../../../src/resources/calendar-traps.ts';
import { describeCalendar } from '../../../src/resources/calendar-words.ts';

const hour = 3600;
const day = 24 * hour;

function means(text: string): string | null {
  const event = parseCalendar(text);
  return event === null ? null : describeCalendar(event);
}

describe('what Proxmox makes of a schedule', () => {
  test.each([
    ['02:00', 'every day at 02:00', day],
    ['2:0', 'every day at 02:00', day],
    ['*-*-* 02:00:00', 'every day at 02:00', day],
    ['02:00 UTC', 'every day at 02:00 UTC', day],
    ['02:00UTC', 'every day at 02:00 UTC', day],
    ['mon..fri 22:00', 'on Monday to Friday at 22:00', 3 * day],
    ['MON,Wednesday,fri 22:00', 'on Monday to Friday in steps of 2 at 22:00', 3 * day],
    ['fri..mon 1:15', 'on Monday, Friday, Saturday, Sunday at 01:15', 4 * day],
    ['mon..sun 3:00', 'every day at 03:00', day],
    ['sat', 'on Saturday at 00:00', 7 * day],
    ['2,14:30', 'every day at 02:30 and 14:30', 12 * hour],
    ['8..17:00', 'every day at minute 0 of hour 8 to 17', 15 * hour],
    ['*/30', 'at minute 0, 30 of every hour', hour / 2],
    ['*/2:00', 'every day at minute 0 of hour 0 to 22 in steps of 2', 2 * hour],
    ['5/20', 'at minute 5 to 45 in steps of 20 of every hour', 20 * 60],
    ['*:0/15', 'at minute 0 to 45 in steps of 15 of every hour', 15 * 60],
    ['minutely', 'at every minute of every hour', 60],
    ['hourly', 'at minute 0 of every hour', hour],
    ['daily', 'every day at 00:00', day],
    ['weekly', 'on Monday at 00:00', 7 * day],
    ['monthly', 'on day 1 of every month at 00:00', 31 * day],
    ['quarterly', 'on day 1 of January to October in steps of 3 at 00:00', 92 * day],
    ['semi-annually', 'on day 1 of January, July at 00:00', 184 * day],
    ['yearly UTC', 'on day 1 of January at 00:00 UTC', 366 * day],
    ['12-24', 'on day 24 of December at 00:00', 366 * day],
    ['*-1..7 18:15', 'on day 1 to 7 of every month at 18:15', 25 * day],
    ['sun *-1..7 3:00', 'on day 1 to 7 of every month that is a Sunday at 03:00', 35 * day],
    ['*-02-29', 'on day 29 of February at 00:00', 2921 * day],
    // What it takes for something else than it looks like.
    ['22', 'at minute 22 of every hour', hour],
    ['mon..fri 22', 'on Monday to Friday at minute 22 of every hour', 2 * day + hour],
    ['02:30,14:30', 'every day at 02:14:30 and 02:30:30', day - 16 * 60],
    ['24:00', 'at minute 24 of every hour', hour],
    ['01:00..03:00', 'every day at 01:00 and 01:01 and 01:02 and 01:03', day - 180],
    ['*-02-30', 'on day 30 of February at 00:00', null],
    ['2026-01-01 02:00', 'on day 1 of January in 2026 at 02:00', null],
  ])('%s: %s', (text, words, gap) => {
    expect(means(text)).toBe(words);
    const event = parseCalendar(text);
    expect(event && everySeconds(event)).toBe(gap);
  });

  test.each([
    '',
    ' ',
    'nonsense',
    '@daily',
    'Daily',
    'mon-fri',
    'mon-fri 02:00',
    'mon..',
    'mon,',
    'mon..fry 02:00',
    '0 2 * * *',
    '*/5 * * * *',
    '02:00 CET',
    '02:00 Pacific/Auckland',
    '*-*~1 02:00',
    '60',
    '02:60',
    '5..3:00',
    '02:00 ',
    ' 02:00',
    '02:00 mon',
    '2026',
    '*/60',
    '0/',
    '*/',
    '*/0',
    '1,',
    '02:00,',
    'constructor',
    '02.30',
    '2h',
    '02:00; 14:00',
    '٠٢:٠٠',
  ])('%j is refused', (text) => {
    expect(means(text)).toBeNull();
    expect(calendarTrap(text)?.says).toMatch(/which Proxmox refuses$/);
  });
});

describe('what is refused because it means something else than it looks like', () => {
  test.each([
    ['22', 'at minute 22 of every hour', 'write "22:00"'],
    ['mon..fri 22', 'on Monday to Friday at minute 22 of every hour', 'write "22:00"'],
    ['1..5', 'at minute 1 to 5 of every hour', 'is a minute'],
    ['0,30', 'at minute 0, 30 of every hour', 'is a minute'],
    ['*', 'at every minute of every hour', 'is a minute'],
    ['02:30,14:30', 'every day at 02:14:30 and 02:30:30', '"2,14:30"'],
    ['24:00', 'at minute 24 of every hour', '"00:00"'],
    ['25:10', 'at minute 25 of every hour, at second 10', 'from 0 to 23'],
    ['*-02-30', 'never: no such day exists', 'correct the month'],
    ['2-30 02:00', 'never: no such day exists', 'correct the month'],
    ['01:00..03:00', 'every day at 01:00 and 01:01 and 01:02 and 01:03', '"01..03:00"'],
    ['02:30,14', 'every day at 02:14 and 02:30', 'are minutes'],
    ['2:00..04', 'every day at 02:00 and 02:01 and 02:02 and 02:03 and 02:04', 'are minutes'],
    ['02:30:15', 'every day at 02:30:15', 'are seconds'],
    ['2026-01-01 02:00', 'on day 1 of January in 2026 at 02:00', 'end with that year'],
  ])('%s: %s', (text, meaning, hint) => {
    const trap = calendarTrap(text);
    expect(trap?.says).toBe(`is ${JSON.stringify(text)}, which Proxmox takes for: ${meaning}`);
    expect(trap?.hint).toContain(hint);
  });

  test.each([
    ['@daily', 'write "daily" without the @'],
    ['Daily', 'write it in small letters: "daily"'],
    ['mon-fri 02:00', 'with two dots'],
    ['0 2 * * *', 'a line of cron'],
    ['02:00 Pacific/Auckland', 'no time zones but UTC'],
    ['02:00 CET', 'no time zones but UTC'],
    ['*-*~1', 'from the end of a month'],
    ['half past two', 'such as "02:30"'],
  ])('%s is refused with: %s', (text, hint) => {
    expect(calendarTrap(text)?.hint).toContain(hint);
  });

  test.each([
    '02:00',
    '2:00',
    '02:00:00',
    'mon..fri 22:00',
    '2,14:30',
    '22,2:00',
    '8..17:00',
    '*/30',
    '0/15',
    '*/2:00',
    '*:22',
    '*:0,30',
    '8..17:0/30',
    'sat',
    'sun *-1..7 03:00',
    'daily',
    'semi-annually',
    'hourly UTC',
    '12-24 23:59',
    '00:00 UTC',
    'mon02:30',
    '8..17,22:0/15',
  ])('%s means what it says', (text) => {
    expect(calendarTrap(text)).toBeNull();
  });

  test('longer than the API takes', () => {
    expect(calendarTrap(`${'1,'.repeat(70)}2:00`)?.says).toContain('longer than 128');
  });
});
