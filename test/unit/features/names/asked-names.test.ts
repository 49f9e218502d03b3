import { describe, expect, it } from 'vitest';
import { TYPE } from '../../../../src/dns/codes.ts';
import { nameKey } from '../../../../src/dns/name.ts';
import { AskedNames } from '../../../../src/features/names/asked-names.ts';
import type { HeldGrant } from '../../../../src/features/names/grant.ts';
import { address, dotted } from './names.ts';

const WINDOW = 3_600_000;
const held = (name: string, needed: number, to = '1.1.1.1'): HeldGrant => ({
  ...{ name: nameKey(dotted(name)), portClass: 'tcp/443', address: address(to) },
  ...{ needed, until: needed, atMost: needed },
});
const names = (questions: ReturnType<AskedNames['due']>) =>
  questions.map(({ name, type }) => `${name.join('.')} ${type}`);

describe('names that were asked', () => {
  const setup = () => {
    const asked = new AskedNames(WINDOW);
    asked.asked({ name: dotted('api.test'), type: TYPE.A }, 0);
    asked.asked({ name: dotted('api.test'), type: TYPE.AAAA }, 1);
    asked.asked({ name: dotted('gone.test'), type: TYPE.A }, 2);
    return asked;
  };

  it('are asked again a while before the first of their grants ends, in all types', () => {
    const asked = setup();
    const grants = [held('api.test', 360_000), held('api.test', 300_000, '1.1.1.2')];
    expect(asked.due(grants, 279_000)).toEqual([]);
    expect(names(asked.due(grants, 280_000))).toEqual(['api.test 1', 'api.test 28']);
    // Not with each look, and again if that did not help.
    expect(asked.due(grants, 281_000)).toEqual([]);
    expect(names(asked.due(grants, 290_000))).toEqual(['api.test 1', 'api.test 28']);
  });

  it('are left when the workload has not asked for them for long', () => {
    const asked = setup();
    expect(asked.due([held('api.test', WINDOW)], WINDOW + 1)).toEqual([]);
    asked.asked({ name: dotted('api.test'), type: TYPE.A }, WINDOW + 2);
    expect(names(asked.due([held('api.test', WINDOW + 20_002)], WINDOW + 20_000))).toEqual(['api.test 1']);
  });

  it('are bounded, as well as what is asked at once', () => {
    const asked = new AskedNames(WINDOW);
    const all = Array.from({ length: 1_100 }, (_, index) => `n${index}.test`);
    for (const name of all) asked.asked({ name: dotted(name), type: TYPE.A }, 0);
    const grants = all.map((name) => held(name, 15_000));
    const found = new Set<string>();
    for (let now = 10_000; now < 10_100; now++) {
      const due = names(asked.due(grants, now));
      expect(due.length).toBeLessThanOrEqual(16);
      for (const one of due) found.add(one);
    }
    expect(found.size).toBe(1_000);
    expect(found.has('n0.test 1')).toBe(false);
  });
});
