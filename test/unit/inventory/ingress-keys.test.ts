/** Which ingress keys a container names, whoever set them: the runner or the image. */
import { describe, expect, test } from 'vitest';
import { parseIngress, type SettingRequest } from '../../../src/inventory/workload.ts';

const read = (environment: readonly string[], more: Partial<SettingRequest> = {}) =>
  parseIngress({ environment, labels: {}, ...more });
const keysOf = (...given: Parameters<typeof read>) => read(...given)?.keys;
const image = (...environment: readonly string[]) => ({ image: { environment, labels: {} } });

describe('a container', () => {
  test('without the setting lets anyone in', () => {
    expect(read(['PATH=/bin', 'EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_ACL=db'])).toBeUndefined();
  });

  test.each([
    [['EGRESSTRATOR_INGRESS=web, metrics,web,,'], ['web', 'metrics']],
    [['EGRESSTRATOR_INGRESS='], []],
    [['EGRESSTRATOR_INGRESS= , '], []],
    [['EGRESSTRATOR_ENABLE=0', 'EGRESSTRATOR_INGRESS=web'], ['web']],
    [['EGRESSTRATOR_INGRESS=a', 'EGRESSTRATOR_INGRESS=b'], ['b']],
  ])('%j names %j', (environment, keys) => {
    expect(read(environment)).toEqual({ keys, isRunners: true, mode: 'enforce', problems: [] });
  });

  test('may name them by a label', () => {
    const labels = { 'egresstrator.ingress': 'web' };
    expect(keysOf([], { labels })).toEqual(['web']);
    expect(read(['EGRESSTRATOR_INGRESS=api'], { labels })).toMatchObject({
      keys: ['api'],
      problems: [{ text: 'egresstrator.ingress=web' }],
    });
  });

  test('with too many keys lets nobody in, and that is reported', () => {
    const many = Array.from({ length: 129 }, (_, index) => `key${index}`).join();
    expect(read([`EGRESSTRATOR_INGRESS=${many}`])).toMatchObject({
      keys: [],
      problems: [{ severity: 'error', reason: 'it names 129 keys; with more than 128 none counts' }],
    });
  });
});

describe('of an image', () => {
  test('a value turns the rules on', () => {
    const environment = ['EGRESSTRATOR_INGRESS=web'];
    expect(keysOf(environment, image(...environment))).toEqual(['web']);
  });

  test('a value counts no more where the runner set another', () => {
    expect(keysOf(['EGRESSTRATOR_INGRESS=api'], image('EGRESSTRATOR_INGRESS=all'))).toEqual(['api']);
  });

  test("a value and the runner's label let in only whom both name", () => {
    const labels = { 'egresstrator.ingress': 'web,api' };
    const environment = ['EGRESSTRATOR_INGRESS=api,all'];
    expect(keysOf(environment, { labels, ...image(...environment) })).toEqual(['api']);
  });

  test.each([
    ['of the image are not', ['EGRESSTRATOR_INGRESS=web'], {}, false],
    ['of the runner are', ['EGRESSTRATOR_INGRESS=api'], {}, true],
    [
      'that a label of the runner limits are',
      ['EGRESSTRATOR_INGRESS=web'],
      { 'egresstrator.ingress': 'web' },
      true,
    ],
  ])('keys %s the word of the runner', (_what, environment, labels, isRunners) => {
    expect(read(environment, { labels, ...image('EGRESSTRATOR_INGRESS=web') })?.isRunners).toBe(isRunners);
    expect(read(environment, { labels, image: 'unknown' })?.isRunners).toBe(false);
  });

  test('that is gone, a value counts with all others', () => {
    const labels = { 'egresstrator.ingress': 'web' };
    expect(keysOf(['EGRESSTRATOR_INGRESS=api'], { labels, image: 'unknown' })).toEqual([]);
  });

  test('a mode cannot turn on audit', () => {
    const environment = ['EGRESSTRATOR_INGRESS=web', 'EGRESSTRATOR_MODE=audit'];
    expect(read(environment)?.mode).toBe('audit');
    expect(read(environment, image('EGRESSTRATOR_MODE=audit'))).toMatchObject({
      mode: 'enforce',
      problems: [{ text: 'EGRESSTRATOR_MODE=audit' }],
    });
  });
});

test('what is wrong with the mode is reported once, by the egress rules if there are any', () => {
  const environment = ['EGRESSTRATOR_INGRESS=web', 'EGRESSTRATOR_MODE=loud'];
  expect(read(environment)?.problems).toHaveLength(1);
  expect(read([...environment, 'EGRESSTRATOR_ENABLE=1'])?.problems).toEqual([]);
});
