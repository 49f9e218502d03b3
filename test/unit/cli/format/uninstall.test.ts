/**
 * What `uninstall` says that it leaves.
 */
import { expect, test } from 'vitest';
import { formatPlan } from '../../../../src/cli/format/uninstall.ts';
import { plain } from '../../../../src/format/style.ts';

test('the plan says that networks of networks.json stay, where there was one', () => {
  const steps = ['web', 'vpn'].map(
    (name) => ({ part: 'routes', what: `in ${name}`, state: 'present' }) as const,
  );
  const plan = (hasNetworks: boolean) => formatPlan(steps, { withKeys: true, hasNetworks, style: plain });
  const goes = 'This would be removed:\n  routes        in web, in vpn';
  expect(plan(false)).toBe(goes);
  expect(plan(true)).toBe(
    `${goes}\nDocker's networks that were made for networks.json stay, and containers stay attached to them (docker network disconnect, docker network rm).`,
  );
});
