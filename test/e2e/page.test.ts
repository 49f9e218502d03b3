/**
 * The page beside a real controller, Engine and Consul, as people use it: see a denial, copy the command, run it, see it
 * allowed. What it says is what the commands say, and whoever takes over its process can change nothing.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Browser, startBrowser, type Visit } from '../../lab/browser.ts';
import { consulProgram } from '../../lab/consul/program.ts';
import { axeFindings, tooWide } from '../browser/checks.ts';
import { addressesFor, isLive, show } from '../browser/page.ts';
import { PROGRAM, type RunningController, runCli, startController } from '../support/egresstrator.ts';
import { onOneEngine } from '../support/engines.ts';
import { becomes, type Fixture, ipv4, openFixture, putKey, register } from '../support/fixture.ts';
import type { Intrusion } from '../support/intruder.ts';
import { PageProgram } from '../support/page-program.ts';
import { connects, type Workload } from '../support/workloads.ts';

const PATH = 'tour/';
/** Of nobody on any machine. */
const [PAGE_USER, WATCH_GROUP] = [64_998, 64_997];
const intruder = fileURLToPath(new URL('../support/intruder.ts', import.meta.url));

onOneEngine((version) => {
  const folder = mkdtempSync(join(tmpdir(), 'egt-tour-'));
  const watchSocket = join(folder, 'watch', 'watch.sock');
  let fixture: Fixture;
  let controller: RunningController;
  let program: PageProgram;
  let browser: Browser;
  let visit: Visit;
  let page: Page;
  let web: Workload;

  const control = (own: string) =>
    startController({
      engine: fixture.engine,
      folder: own,
      args: [
        ...['-c', fixture.consul.address, '-k', PATH, '-i', fixture.image, '--loader', 'nsenter'],
        ...['--watch-socket', watchSocket, '--watch-group', `${WATCH_GROUP}`, '--drift-interval', '1'],
      ],
    });

  beforeAll(async () => {
    chmodSync(folder, 0o755);
    [fixture, browser] = await Promise.all([openFixture(version), startBrowser()]);
    await putKey(fixture, `${PATH}app`, `${ipv4(fixture.other)}:tcp/80`, '# more to come');
    await register(fixture, { node: 'node-1', service: 'shop', address: ipv4(fixture.server), port: 80 });
    [controller, web] = await Promise.all([control(folder), fixture.workloads.run('web', { acl: 'app' })]);
    program = await PageProgram.start(watchSocket);
    visit = await browser.visit({ permissions: ['clipboard-read', 'clipboard-write'] });
    ({ page } = visit);
    await page.goto(program.link);
    await isLive(page);
  });
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
    await program?.[Symbol.asyncDispose]();
    await controller?.[Symbol.asyncDispose]();
    await fixture?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A question that is not one is an error in the console, too. */
  const isFine = () =>
    expect(
      visit.problems(program.origin).filter((one) => !/status of 400 .*\/api\/explain/.test(one)),
    ).toEqual([]);
  const ask = (...args: readonly string[]) => runCli([...args, '--socket', controller.socket]);
  const row = (...words: readonly string[]) =>
    words.reduce((found, hasText) => found.filter({ hasText }), page.locator('main tbody tr')).first();
  const copied = () => page.evaluate(() => navigator.clipboard.readText());

  /** As in a terminal: with the lab's Consul, and the program. */
  async function type(command: string): Promise<void> {
    const { path } = await consulProgram();
    const env = { PATH: `${dirname(path)}:/usr/bin:/bin`, CONSUL_HTTP_ADDR: fixture.consul.address };
    await execa('sh', ['-c', command], { extendEnv: false, env });
  }

  test('a denial appears; the command that the page gives for it allows it, and the page says so', async () => {
    await row(web.name, 'protected').waitFor();
    await show(page, '/denied');
    expect(await connects(web, ipv4(fixture.server), 80)).toBe('refused');
    await row(web.name, ipv4(fixture.server), 'shop').waitFor();
    await page
      .getByRole('button', { name: /kv put app.*shop/ })
      .first()
      .click();
    await expect.poll(copied).toMatch(/^consul kv put tour\/app/);
    await type(await copied());
    await becomes(web, ipv4(fixture.server), 80, 'ok');
    // What the key had before is still there.
    expect(await connects(web, ipv4(fixture.other), 80)).toBe('ok');
    await show(page, `/workloads/${web.name}`);
    await page
      .locator('.reach')
      .filter({ hasText: 'shop' })
      .filter({ hasText: ipv4(fixture.server) })
      .waitFor();
    isFine();
  });

  test('what it answers, and the command that it gives for that, are those of the command line', async () => {
    const address = ipv4(fixture.server);
    const questions = [
      ...[
        'shop',
        `${address} tcp/80`,
        `${address} tcp/81`,
        `${address} udp/80`,
        'missing',
        `${address} icmp/8`,
      ],
      ...['no-such-word!', `${ipv4(fixture.other)} tcp/80`, '2001:db8::1 tcp/443', 'example.com tcp/443'],
    ];
    for (const question of questions) {
      const [target = '', ...traffic] = question.split(' ');
      const { stdout, stderr, code } = await ask('explain', web.name, target, ...traffic);
      await show(page, `/workloads/${web.name}?${new URLSearchParams({ ask: question })}`);
      const words = code === 0 ? stdout : stderr.replace(/^egresstrator: /, '');
      const answer = page.locator('.answers .answer p, .answers .trouble');
      await expect
        .poll(async () => plain((await answer.allTextContents()).join('\n')), { message: question })
        .toBe(plain(words));
    }
    isFine();
  });

  const plain = (text: string) =>
    text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .join('\n');

  test('every screen shows this host, and axe finds nothing there', async () => {
    await page.setViewportSize({ width: 360, height: 800 });
    for (const address of addressesFor({ name: web.name, key: 'app' })) {
      await show(page, address);
      await page.locator('main [role=status].empty').waitFor({ state: 'detached' });
      expect([address, await axeFindings(page)]).toEqual([address, []]);
      expect([address, await tooWide(page)]).toEqual([address, []]);
    }
    isFine();
  });

  describe('whoever takes over its process', () => {
    const intrude = async (user: Pick<Intrusion, 'uid' | 'gid'>): Promise<readonly string[]> => {
      chmodSync(controller.folder, 0o755);
      const question: Intrusion = {
        ...user,
        ...{ api: controller.socket, watch: watchSocket, docker: fixture.engine.socketPath },
        ...{ controller: controller.pid, folder: controller.folder, program: PROGRAM },
      };
      const { stdout } = await execa(process.execPath, [intruder, JSON.stringify(question)]);
      return JSON.parse(stdout);
    };

    test('can ask, and nothing else; as root nearly all of it works', async () => {
      expect(await intrude({ uid: PAGE_USER, gid: WATCH_GROUP })).toEqual(['ask the watch socket']);
      expect(await intrude({ uid: PAGE_USER, gid: PAGE_USER })).toEqual([]);
      const asRoot = await intrude({});
      expect(asRoot).not.toContain('change something by the watch socket');
      expect(asRoot).toHaveLength(13);
    });
  });

  test('a controller that is killed: last known, until the next one has started', async () => {
    await page.setViewportSize({ width: 1280, height: 800 });
    await show(page, '/');
    await controller.stop('SIGKILL');
    await page.locator('.banner', { hasText: /last known, \d+ ?s ago/ }).waitFor();
    await row(web.name, 'protected').waitFor();
    controller = await control(folder);
    await page.locator('.banner').waitFor({ state: 'detached' });
    await row(web.name, 'protected').waitFor();
    isFine();
  });
});
