/** Lines that allow by now what was denied before. */
import { expect, test } from 'vitest';
import { allowedNow } from '../../../../page/rules/allowed-now.ts';
import { parseAcl } from '../../../../src/policy/acl.ts';

const acl = parseAcl(
  new Map([
    ['web', '# addresses\n10.0.0.0/8:tcp/80\n10.0.0.2:tcp/8081'],
    ['all', '0.0.0.0/0:tcp'],
  ]),
);
const find = allowedNow({ acl, catalog: new Map(), protectedHosts: [] });
const row = (port: number | undefined, protocol = 'tcp') => ({
  ...{ address: '10.0.0.2', protocol, port, packets: 1 },
});

test('the line of a key that the workload has', () => {
  expect(find(['web'], row(8081))).toEqual({ key: 'web', line: 3 });
  expect(find(['missing', 'all'], row(8082))).toEqual({ key: 'all', line: 1 });
});

test('none for another port, another protocol or a key that it does not have', () => {
  expect(find(['web'], row(8082))).toBeUndefined();
  expect(find(['web'], row(8081, 'udp'))).toBeUndefined();
  expect(find(['web'], row(undefined, '47'))).toBeUndefined();
  expect(find([], row(8081))).toBeUndefined();
});
