/**
 * Whatever another program changes in the host's table changes the digest of its state, and nothing else does: as Perl
 * reads it from the kernel, and as nft lists it where there is no Perl.
 */
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNamespaces } from '../../lab/netns.ts';
import { parseNamespaceState } from '../../src/dataplane/namespace-state.ts';
import { forward, opening, prefix } from '../support/host-claims.ts';
import { PROGRAM } from './fixture.ts';
import { hostText } from './host-fixture.ts';

const set = await createNamespaces(1);
const [host] = set.namespaces;
if (host === undefined) throw new Error('no namespace');
const folder = await mkdtemp(join(tmpdir(), 'egresstrator-'));
afterAll(async () => {
  await rm(folder, { recursive: true });
  await set.dispose();
});

/** What the program runs, but for Perl. */
const PROGRAMS = ['nft', 'sed', 'sha256sum', 'cat', 'date', 'tr', 'cksum', 'sort'];

beforeAll(async () => {
  for (const name of PROGRAMS) {
    const { stdout } = await host.run('sh', ['-c', `command -v ${name}`]);
    await symlink(stdout, join(folder, name));
  }
});

const text = hostText({
  guard: { mode: 'enforce', families: [4, 6], isBetween: true, guardsNewBridges: true },
  openings: [
    opening('172.29.1.2', 80),
    opening('172.29.1.2', 81, ['198.51.100.0/28', '203.0.113.0/24']),
    opening('2001:db8:a::2', 80),
  ],
  proxied: [{ at: prefix('0.0.0.0/0'), protocol: 'tcp', port: 8080, from: 'nobody' }],
  forwards: [forward(8080, '172.29.1.2', 80), forward(53, '172.29.2.2', 53, { protocol: 'udp' })],
});

const TABLE = 'inet egresstrator_host';

const CHANGES = [
  `add element ${TABLE} open4 { 172.29.1.2 . tcp . 22 }`,
  `delete element ${TABLE} open6 { 2001:db8:a::2 . tcp . 80 }`,
  `flush set ${TABLE} open4`,
  `add element ${TABLE} open_from4 { 172.29.1.2 . tcp . 81 . 192.0.2.0/24 }`,
  `delete element ${TABLE} forwards4 { tcp . 8080 : 172.29.1.2 . 80 }; add element ${TABLE} forwards4 { tcp . 8080 : 172.29.1.3 . 80 }`,
  `add element ${TABLE} guarded { "br-c" }`,
  `insert rule ${TABLE} guard accept`,
  `flush chain ${TABLE} deny`,
  `add chain ${TABLE} guard { policy drop; }`,
  `add chain ${TABLE} more`,
  `add set ${TABLE} more { type mark; }`,
  `add counter ${TABLE} denied_more`,
  'add table ip egresstrator_host',
];

for (const [reader, environment] of [
  ['Perl', []],
  ['nft', ['env', `PATH=${folder}`]],
] as const) {
  const run = async (...words: readonly string[]) => {
    const [file = '', ...args] = [...host.prefix, ...environment, '/bin/sh', PROGRAM, ...words];
    const isLoad = words[0] === 'load' || words[0] === 'reload';
    const { stdout } = await execa(file, args, isLoad ? { input: text } : { stdin: 'ignore' });
    return stdout;
  };
  const nft = (command: string) => host.run('nft', [command]);

  describe(`read by ${reader}`, () => {
    it.each(CHANGES)('changes with: %s', async (command) => {
      const before = await run('load', 'host');
      expect(before).toMatch(/^fingerprint [0-9a-f]{32}\ndigest [0-9a-f]{64}$/);
      expect(await run('state', 'host')).toBe(before);
      await nft(command);
      expect(await run('state', 'host')).not.toBe(before);
      expect(await run('load', 'host')).toBe(before);
    });

    it('is the same with denied packets, which a comparison tells', async () => {
      const before = await run('load', 'host', '-');
      const { loaded } = parseNamespaceState(before);
      expect(await run('inspect', 'host', loaded.listing ?? '')).toBe('unchanged');
      await nft(`add element ${TABLE} denied_in4 { 198.51.100.9 . 172.29.1.2 . tcp . 22 }`);
      const after = parseNamespaceState(await run('inspect', 'host', loaded.listing ?? ''));
      expect(after.loaded).toEqual({ ...loaded, listing: after.loaded.listing });
      expect(after.loaded.listing).not.toBe(loaded.listing);
      expect(after.denied.destinations).toMatchObject([{ port: 22 }]);
      expect(await run('denied', 'host')).toContain('198.51.100.9');
    });

    it('changes with a bridge that comes later and has a name like those of the Engine', async () => {
      const before = await run('load', 'host');
      const bridge = ['link', 'add', 'br-other', 'type', 'bridge'];
      await host.run('ip', bridge);
      expect(await run('state', 'host')).not.toBe(before);
      expect(await run('load', 'host')).not.toBe(before);
      await host.run('ip', ['link', 'delete', 'br-other']);
    });

    it('belongs to these tables alone', async () => {
      const before = await run('load', 'host');
      await nft(
        'add table inet egresstrator_more; add chain inet egresstrator_more c; add rule inet egresstrator_more c drop',
      );
      expect(await run('state', 'host')).toBe(before);
      await nft('delete table inet egresstrator_more');
      await nft(`delete table ${TABLE}`);
      expect(await run('state', 'host')).toBe('');
    });
  });
}
