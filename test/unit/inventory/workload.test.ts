/** What a container's environment and labels are read as. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Mode,
  parseIngress,
  parseKeyList,
  parseWorkload,
  type SettingRequest,
} from '../../../src/inventory/workload.ts';
import { looserThan, says, someSettings, type Words } from '../../support/arbitrary-settings.ts';
import { vectors } from '../../support/settings-vectors.ts';

const read = (environment: readonly string[], labels: Record<string, string> = {}) =>
  parseWorkload({ environment, labels });

describe('EGRESSTRATOR_ENABLE', () => {
  test.each(['1', 'true', 'TRUE', 'yes', 'On', ' 1 '])('%j asks for rules', (value) => {
    expect(read([`EGRESSTRATOR_ENABLE=${value}`])?.problems).toEqual([]);
  });

  test.each(['0', 'false', 'No', 'off', ''])('%j asks for nothing', (value) => {
    expect(read([`EGRESSTRATOR_ENABLE=${value}`])).toBeUndefined();
  });

  test('nothing said asks for nothing', () => {
    expect(read(['PATH=/bin', 'EGRESSTRATOR_ACL=db'])).toBeUndefined();
  });

  test('a word that is not understood is read as 1 and reported', () => {
    expect(read(['EGRESSTRATOR_ENABLE=ture'])?.problems).toEqual([
      {
        severity: 'warning',
        text: 'EGRESSTRATOR_ENABLE=ture',
        reason: 'expected 1, true, yes or on (or 0, false, no, off); read as 1',
      },
    ]);
  });

  test('of two variables of one name the last counts', () => {
    expect(read(['EGRESSTRATOR_ENABLE=0', 'EGRESSTRATOR_ENABLE=1'])).toBeDefined();
  });
});

describe('labels', () => {
  test('say the same as the environment', () => {
    const labels = { 'egresstrator.enable': '1', 'egresstrator.acl': 'db', 'egresstrator.mode': 'audit' };
    expect(read([], labels)).toEqual({ grants: ['db'], mode: 'audit', dns: 'resolvers', problems: [] });
  });

  test('give way to the environment, with a warning where they differ', () => {
    const workload = read(['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_ACL=db'], { 'egresstrator.acl': 'all' });
    expect(workload?.grants).toEqual(['db']);
    expect(workload?.problems.map(({ text }) => text)).toEqual(['egresstrator.acl=all']);
  });

  test('that agree are no problem', () => {
    expect(read(['EGRESSTRATOR_ENABLE=1'], { 'egresstrator.enable': '1' })?.problems).toEqual([]);
  });
});

describe('EGRESSTRATOR_MODE and EGRESSTRATOR_DNS', () => {
  test('are enforce and resolvers where nothing is said', () => {
    expect(read(['EGRESSTRATOR_ENABLE=1'])).toMatchObject({ mode: 'enforce', dns: 'resolvers' });
  });

  test('are read in the closed sense where they are not understood', () => {
    const workload = parseWorkload(
      {
        environment: ['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_MODE=adit', 'EGRESSTRATOR_DNS=off'],
        labels: {},
      },
      'audit',
    );
    expect(workload).toMatchObject({ mode: 'enforce', dns: 'none' });
    expect(workload?.problems).toHaveLength(2);
  });

  test('an object’s own names are no words', () => {
    expect(read(['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_MODE=constructor'])?.mode).toBe('enforce');
    expect(read([], { constructor: '1' })).toBeUndefined();
  });
});

describe('container and image', () => {
  test.each(vectors.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    const { environment, labels, image, defaultMode, expected, ingress } = vector;
    const workload = parseWorkload({ environment, labels, ...(image ? { image } : {}) }, defaultMode);
    expect(workload).toEqual(expected === null ? undefined : { ...expected, problems: workload?.problems });
    const named = parseIngress({ environment, labels, ...(image ? { image } : {}) }, defaultMode);
    expect(named).toEqual(ingress && { ...ingress, isRunners: named?.isRunners, problems: named?.problems });
  });

  const reasons = (
    environment: readonly string[],
    labels: Record<string, string>,
    image: SettingRequest['image'],
  ) =>
    parseWorkload({ environment, labels, ...(image ? { image } : {}) })?.problems.map(({ reason }) => reason);

  test('say who may have said it, and what to do', () => {
    const environment = ['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_ACL=all'];
    const image = { environment: ['EGRESSTRATOR_ACL=all'], labels: {} };
    const advice =
      "so the runner's value is not known, and the strictest counts; set only EGRESSTRATOR_ACL, to a value that the image does not contain";
    const labels = { 'egresstrator.acl': 'db' };
    expect(reasons(environment, labels, image)).toEqual([`the image sets it as well, ${advice}`]);
    expect(reasons(environment, labels, 'unknown')).toEqual([`the image is missing, ${advice}`]);
    expect(reasons(['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_MODE=audit'], {}, 'unknown')).toEqual([
      'the image may have set this, which only the runner may; it is ignored',
    ]);
    expect(
      reasons([`EGRESSTRATOR_ENABLE=1`, `EGRESSTRATOR_ACL=${'a,b,'.repeat(2000)}`], {}, undefined),
    ).toEqual(['the list is longer than 4096 bytes, so none of its keys counts']);
  });

  /** As the Engine mixes them. */
  const merged = (own: Words, image: Words): SettingRequest => {
    const names = new Set(own.environment.map(nameOf));
    const added: string[] = [];
    for (const line of image.environment) {
      if (names.has(nameOf(line)) || (own.environment.length > 0 && added.map(nameOf).includes(nameOf(line))))
        continue;
      added.push(line);
    }
    return { environment: [...own.environment, ...added], labels: { ...image.labels, ...own.labels }, image };
  };

  test('no image gives more than its runner says alone', () => {
    const modes = fc.constantFrom<Mode>('enforce', 'audit');
    fc.assert(
      fc.property(someSettings, someSettings, fc.boolean(), modes, (own, image, isGone, mode) => {
        const alone = parseWorkload({ ...own, image: { environment: [], labels: {} } }, mode);
        const request = merged(own, image);
        const together = parseWorkload(isGone ? { ...request, image: 'unknown' } : request, mode);
        if (alone !== undefined) expect(looserThan(alone, together, says(own, 'ACL'))).toEqual([]);
      }),
      { numRuns: 3000 },
    );
  });

  test('what its runner says by a variable counts, if the image says something else', () => {
    fc.assert(
      fc.property(someSettings, fc.constantFrom<Mode>('enforce', 'audit'), (image, mode) => {
        const environment = ['ENABLE=yes', 'ACL=mine', 'MODE=Audit', 'DNS=Resolvers'].map(
          (word) => `EGRESSTRATOR_${word}`,
        );
        const workload = parseWorkload(merged({ environment, labels: {} }, image), mode);
        expect(workload).toMatchObject({ grants: ['mine'], mode: 'audit', dns: 'resolvers' });
      }),
    );
  });
});

const nameOf = (line: string): string => line.split('=', 1)[0] ?? '';

describe('parseKeyList', () => {
  test('drops spaces, empty items and repetitions, and keeps everything else as it is', () => {
    expect(parseKeyList(' db , ,pay/ments,db,{{x}}\n,"; drop')).toEqual([
      'db',
      'pay/ments',
      '{{x}}',
      '"; drop',
    ]);
  });
});
