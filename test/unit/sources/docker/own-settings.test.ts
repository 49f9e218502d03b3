/** What is kept of the words of containers and images, however many there are. */
import { describe, expect, test } from 'vitest';
import { parseWorkload } from '../../../../src/inventory/workload.ts';
import { imageSettings, ourSettings } from '../../../../src/sources/docker/own-settings.ts';

describe('of environment and labels', () => {
  test('only what speaks of egresstrator is kept', () => {
    const environment = ['PATH=/bin', 'EGRESSTRATOR_ACL=db', 'EGRESSTRATOR_X=1', 'egresstrator_acl=x'];
    const labels = { 'egresstrator.acl': 'db', 'egresstrator.role': 'helper', other: 'x' };
    expect(ourSettings({ environment, labels })).toEqual({
      environment: ['EGRESSTRATOR_ACL=db'],
      labels: { 'egresstrator.acl': 'db' },
    });
  });

  test('a list of millions of keys is cut, and grants nothing', () => {
    const list = 'k1234567,'.repeat(2_500_000);
    const environment = ['EGRESSTRATOR_ENABLE=1'];
    const kept = ourSettings({ environment, labels: { 'egresstrator.acl': list } });
    expect(JSON.stringify(kept).length).toBeLessThan(5_000);
    expect(parseWorkload(kept)).toMatchObject({ grants: [], problems: [{ severity: 'error' }] });
  });

  test('of a name that is repeated without end the last counts', () => {
    const environment = [...Array(1_000).keys()].map((key) => `EGRESSTRATOR_ACL=k${key}`);
    const kept = ourSettings({ environment: ['EGRESSTRATOR_ENABLE=1', ...environment], labels: {} });
    expect(kept.environment.at(-1)).toBe('EGRESSTRATOR_ACL=k999');
    expect(kept.environment.length).toBeLessThan(100);
  });

  test('an image with more words than are kept may have said anything', () => {
    const environment = [...Array(33).keys()].map((key) => `EGRESSTRATOR_ACL=k${key}`);
    expect(imageSettings({ environment: environment.slice(1), labels: {} })).not.toBe('unknown');
    expect(imageSettings({ environment, labels: {} })).toBe('unknown');
  });
});
