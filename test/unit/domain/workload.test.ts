/** What a container's environment and labels are read as. */
import { describe, expect, test } from 'vitest';
import { parseKeyList, parseWorkload } from '../../../src/domain/workload.ts';

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

describe('an image', () => {
  const run = (own: readonly string[], image: readonly string[], labels: Record<string, string> = {}) =>
    parseWorkload({ environment: [...image, ...own], labels, image: { environment: image, labels: {} } });

  test('may ask for rules, and name keys', () => {
    expect(run([], ['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_ACL=db'])?.grants).toEqual(['db']);
  });

  test('is not heard where who runs it says something else, be it by label', () => {
    const image = ['EGRESSTRATOR_ENABLE=0', 'EGRESSTRATOR_ACL=all'];
    const labels = { 'egresstrator.enable': '1', 'egresstrator.acl': 'db' };
    expect(run([], image, labels)).toMatchObject({ grants: ['db'], problems: [] });
    expect(run(['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_ACL=db'], image)?.grants).toEqual(['db']);
  });

  test('can not ask for audit mode', () => {
    const workload = run(['EGRESSTRATOR_ENABLE=1'], ['EGRESSTRATOR_MODE=audit']);
    expect(workload?.mode).toBe('enforce');
    expect(workload?.problems.map(({ reason }) => reason)).toEqual([
      'the image says so, and only who runs it may; it is ignored',
    ]);
    expect(run(['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_MODE=audit'], [])?.mode).toBe('audit');
  });

  test('says what it says by labels as well', () => {
    const labels = { 'egresstrator.enable': '0', 'egresstrator.mode': 'audit' };
    const image = { environment: [], labels };
    expect(parseWorkload({ environment: ['EGRESSTRATOR_ENABLE=1'], labels, image })?.mode).toBe('enforce');
  });
});

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
