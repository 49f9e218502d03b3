import { expect, it } from 'vitest';
import { findCgroup2, prepareCgroup } from '../../../src/name-proxy/proxy-cgroup.ts';

const line = (path: string, type: string) =>
  `30 23 0:26 / ${path} rw,nosuid,relatime shared:4 - ${type} ${type} rw`;
const V1 = line('/sys/fs/cgroup/memory', 'cgroup');

it.each([
  ['alone', [line('/sys/fs/cgroup', 'cgroup2')], '/sys/fs/cgroup'],
  ['beside version 1', [V1, line('/sys/fs/cgroup/unified', 'cgroup2')], '/sys/fs/cgroup/unified'],
  ['nowhere', [V1], undefined],
  [
    'where nft does not look',
    [line('/mnt/cgroup2', 'cgroup2'), line('/sys/fs/cgroup2', 'cgroup2')],
    undefined,
  ],
])('finds version 2 %s', (_, lines, expected) => {
  expect(findCgroup2(lines.join('\n'))).toBe(expected);
});

it('says what is missing, and the way out', () => {
  expect(() => prepareCgroup(V1)).toThrow(
    "Names of Docker's networks cannot be resolved beside rules by name: no hierarchy of cgroups version 2 is mounted at /sys/fs/cgroup or below it. Mount",
  );
});
