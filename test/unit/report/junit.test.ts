import { describe, expect, test } from 'vitest';
import { ProvisionError } from '../../../src/model/errors.ts';
import type { Command, HostRun } from '../../../src/model/run.ts';
import { junitErrors, junitReport } from '../../../src/report/junit.ts';
import { applyRuns, change, checkRuns, diffRuns, procedureRuns, run } from './runs.ts';

/** Tags opened and closed in order, attributes quoted, nothing bare between: enough XML to catch a broken report. */
function wellFormed(xml: string): boolean {
  const body = xml.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, '');
  const tag = /<(\/?)([a-z]+)((?: [a-z]+="[^"<]*")*)(\/?)>|([^<>]+)/y;
  const open: string[] = [];
  let at = 0;
  while (at < body.length) {
    tag.lastIndex = at;
    const found = tag.exec(body);
    if (!found) return false;
    at = tag.lastIndex;
    const [, closing, name = '', attributes = '', empty, text = ''] = found;
    if (/&(?!amp;|lt;|gt;|quot;)/.test(attributes + text)) return false;
    if (name === '') continue;
    if (closing) {
      if (open.pop() !== name) return false;
    } else if (!empty) open.push(name);
  }
  return open.length === 0;
}

const count = (xml: string, part: string) => xml.split(part).length - 1;

describe('the JUnit report', () => {
  const cases: [Command, readonly HostRun[]][] = [
    ['diff', diffRuns],
    ['apply', applyRuns],
    ['check', checkRuns],
    ['run', procedureRuns],
  ];
  for (const [command, runs] of cases) {
    test(`${command} is as kept, well-formed, and counts what it holds`, async () => {
      const xml = junitReport(command, runs);
      expect(wellFormed(xml)).toBe(true);
      const [, tests, failures, errors, skipped] =
        /<testsuites name="[^"]*" tests="(\d+)" failures="(\d+)" errors="(\d+)" skipped="(\d+)">/.exec(xml) ??
        [];
      expect(count(xml, '<testcase ')).toBe(Number(tests));
      expect(count(xml, '<failure ')).toBe(Number(failures));
      expect(count(xml, '<error ')).toBe(Number(errors));
      expect(count(xml, '<skipped ')).toBe(Number(skipped));
      expect(count(xml, '<testsuite ')).toBe(runs.length);
      await expect(xml).toMatchFileSnapshot(`../../golden/report/${command}.junit.xml`);
    });
  }

  test('what differs is a failure, what could not be looked at is an error', () => {
    const xml = junitReport('diff', diffRuns);
    expect(xml).toMatch(/name="file:\/etc\/vzdump.conf"[^>]*>\n\s*<failure/);
    expect(xml).toMatch(/name="mount:\/mnt\/pbs"[^>]*>\n\s*<error/);
    expect(xml).toMatch(/name="unreachable">\n\s*<error/);
  });

  test('characters that XML cannot hold are left out, markup is escaped', () => {
    const id = 'file:/a\x1b\x00\ud800<b>&"\ufffe😀';
    const xml = junitReport('diff', [run('pve2', { changes: [change(id, { message: ']]>\x07' })] })]);
    expect(wellFormed(xml)).toBe(true);
    expect(xml).toContain('name="file:/a&lt;b&gt;&amp;&quot;😀"');
    expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/);
  });

  test('mistakes in the input are a report too', () => {
    const error = new ProvisionError('input', 'no such host <x>', { hint: 'did you mean y?' });
    const xml = junitErrors('diff', [error]);
    expect(wellFormed(xml)).toBe(true);
    expect(xml).toContain('errors="1"');
  });
});
