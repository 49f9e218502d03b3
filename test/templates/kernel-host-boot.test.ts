/**
 * What the controller leaves in its state folder protects the host at the next boot, without the controller.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { bootId } from '../../src/common/steady-clock.ts';
import { createLogger } from '../../src/daemon/log.ts';
import { HostFiles, turnOffHostFiles } from '../../src/daemon/state/host-files.ts';
import { rulesAfterReboot } from '../../src/features/host/after-reboot.ts';
import { canonicalHost, type HostClaims } from '../../src/features/host/canonical.ts';
import { loadHostTemplate, renderHost } from '../../src/features/host/render.ts';
import { forward, NO_CLAIMS, opening, prefix } from '../support/host-claims.ts';
import { valuesOf } from '../support/unit-file.ts';
import { netns } from './fixture.ts';
import { BRIDGES, loadHost, PORT, useHost } from './host-fixture.ts';

const { agents, containers, host, outside } = await useHost();
const folder = mkdtempSync(join(tmpdir(), 'egt-boot-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const log = createLogger({ level: 'error', format: 'json', terminal: false, colour: false });
const a1 = containers.a1.ipv4;
const PROXIED = PORT + 20;

const CLAIMS: HostClaims = {
  ...NO_CLAIMS,
  bridges: BRIDGES.map((one) => ({ ...one, masqueraded: one.subnets.filter(({ family }) => family === 4) })),
  guard: { mode: 'enforce', families: [4, 6], isBetween: false, guardsNewBridges: true },
  openings: [opening(a1, PORT)],
  proxied: [{ at: prefix('0.0.0.0/0'), protocol: 'tcp', port: PROXIED, from: 'anyone' }],
  forwards: [forward(80, a1, PORT)],
};

async function save(boot: string | undefined): Promise<void> {
  const { rules } = canonicalHost(CLAIMS);
  const template = loadHostTemplate();
  const { text, fingerprint } = renderHost(template, rules);
  const afterReboot = renderHost(template, rulesAfterReboot(rules)).text;
  const files = new HostFiles(folder, boot, log);
  files.save(fingerprint, () => ({ loaded: text, afterReboot }));
  await files.close();
}

beforeEach(async () => {
  await netns(host, 'clear host');
  rmSync(folder, { recursive: true, force: true });
});

/** As the unit does. */
const [, , verb = '', unitFolder = ''] =
  valuesOf('deploy/egresstrator-host-boot.service', 'ExecStart')[0]?.split(' ') ?? [];
const boot = () => netns(host, `${verb} ${unitFolder.replace('/var/lib/egresstrator', folder)}`);
const reach = (address: string, port: number) => agents.outside.open('x', address, port);

it('under the same boot it is what was loaded', async () => {
  await save(bootId());
  expect(await boot()).toEqual({ exitCode: 0, stdout: `loaded ${folder}/host.nft`, stderr: '' });
  expect(await reach(a1, PORT)).toBe('connected');
  expect(await reach(a1, PORT + 1)).toBe('silence');
  expect(await reach(host.ipv4, 80)).toBe('connected');
  const restored = await netns(host, 'state host');
  await loadHost(host, CLAIMS);
  expect(await netns(host, 'state host')).toEqual(restored);
});

it('after a reboot nothing is open and nothing is forwarded, but containers call', async () => {
  await agents.host.serve(PROXIED);
  await outside.run('ip', ['route', 'del', 'default']);
  await save('another');
  expect((await boot()).stdout).toBe(`loaded ${folder}/host.boot.nft`);
  await outside.run('ip', ['route', 'add', '172.29.0.0/16', 'via', host.ipv4]);
  expect(await reach(a1, PORT)).toBe('silence');
  expect(await reach(containers.a1.ipv6, PORT)).toBe('silence');
  expect(await reach(host.ipv4, 80)).toBe('ECONNREFUSED');
  expect(await reach(host.ipv4, PROXIED)).toBe('silence');
  await outside.run('ip', ['route', 'del', '172.29.0.0/16']);
  expect(await agents.a1.open('x', outside.ipv4, PORT)).toBe('connected');
  expect(await agents.a1.open('x', containers.b1.ipv4, PORT)).toBe('connected');
  await outside.run('ip', ['route', 'add', 'default', 'via', host.ipv4]);
});

it('it takes nothing that is cut short, or is not there, and replaces nothing', async () => {
  const nothing = { exitCode: 0, stdout: '', stderr: '' };
  const before = await host.run('nft', ['list', 'ruleset']);
  expect(await boot()).toEqual(nothing);
  await save('another');
  for (const name of ['host.nft', 'host.boot.nft'])
    writeFileSync(join(folder, name), `# boot ${bootId()}\ntable inet egresstrator_host {`);
  expect(await boot()).toEqual(nothing);
  expect(await host.run('nft', ['list', 'ruleset'])).toEqual(before);
  await loadHost(host, {});
  const loaded = await netns(host, 'state host');
  await save(bootId());
  expect(await boot()).toEqual(nothing);
  expect(await netns(host, 'state host')).toEqual(loaded);
});

it('nothing is loaded after the rules were turned off, and that they may be there is known until a reboot', async () => {
  expect(await turnOffHostFiles(folder, 'one')).toBe(false);
  await save('one');
  expect(await turnOffHostFiles(folder, 'one')).toBe(true);
  expect((await boot()).stdout).toBe('');
  expect(await turnOffHostFiles(folder, 'one')).toBe(true);
  expect(await turnOffHostFiles(folder, 'two')).toBe(false);
  await save('one');
  expect((await boot()).stdout).toBe(`loaded ${folder}/host.boot.nft`);
});
