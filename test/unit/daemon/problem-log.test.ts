/** When a problem is told, and when it counts as gone. */
import { describe, expect, test } from 'vitest';
import { ProblemLog } from '../../../src/daemon/problem-log.ts';

const problem = { severity: 'error', reason: 'no such ACL key' } as const;
const atContainer = [{ container: 'shop', problem }];
const atSource = [{ container: undefined, problem }];

function open() {
  const lines: string[] = [];
  const write = (_: object, message: string) => void lines.push(message);
  const clock = { now: 1_000 };
  const log = new ProblemLog({ debug: write, info: write, warn: write, error: write }, () => clock.now);
  return { log, lines, clock };
}

describe('a problem', () => {
  test('of a source is told when it appears, and when it is gone', () => {
    const { log, lines } = open();
    for (const conditions of [atSource, atSource, [], [], atSource]) log.update(conditions);
    expect(lines).toEqual(['problem found', 'problem solved', 'problem found']);
  });

  test('of a container that starts again and again is told once', () => {
    const { log, lines, clock } = open();
    for (let start = 0; start < 1_000; start++) {
      clock.now += 60_000;
      log.update(start % 2 === 0 ? atContainer : []);
    }
    expect(lines).toEqual(['problem found']);
  });

  test('of a container that does not come back is gone after two minutes', () => {
    const { log, lines, clock } = open();
    log.update(atContainer);
    clock.now += 119_999;
    log.update([]);
    expect(lines).toEqual(['problem found']);
    clock.now += 1;
    log.update([]);
    expect(lines).toEqual(['problem found', 'problem solved']);
  });
});
