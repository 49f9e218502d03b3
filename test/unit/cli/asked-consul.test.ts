/** A Consul that is named on the command line is asked, though a controller runs that reads another. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { clear } from '../../../src/cli/commands/clear.ts';
import { denied } from '../../../src/cli/commands/denied.ts';
import { explain } from '../../../src/cli/commands/explain.ts';
import { lint } from '../../../src/cli/commands/lint.ts';
import { set } from '../../../src/cli/commands/set.ts';
import { createProgram } from '../../../src/cli/program.ts';
import type { Terminal } from '../../../src/config/terminal.ts';
import { type ApiServer, serveApi } from '../../../src/daemon/api/server.ts';
import { controlsOf } from '../../support/ask-controller.ts';
import { diagnosticsOf } from '../../support/snapshot.ts';

const READ = '127.0.0.1:1';
/** Nothing listens on these ports of loopback. */
const OTHER = '127.0.0.1:2';

let folder: string;
let api: ApiServer;
let written: string;

const sink = () =>
  new Writable({
    write(chunk, _encoding, done) {
      written += String(chunk);
      done();
    },
  });
const terminal = (): Terminal => ({
  stdout: sink(),
  stderr: sink(),
  environment: { DOCKER_HOST: 'unix:///nowhere' },
});
const flags = (given: object) => ({ socket: join(folder, 'api.sock'), ...given });

beforeEach(async () => {
  written = '';
  folder = mkdtempSync(join(tmpdir(), 'egt-asked-'));
  const controls = controlsOf({
    sources: () => ({ consul: READ, kvPath: 'egress/acl/', ingressPath: 'in/', docker: '/engine.sock' }),
    diagnostics: diagnosticsOf(() => ({
      keys: { 'of-the-controller': '' },
      unsupported: [{ name: 'hosted', id: 'ab12', reason: "it runs in the host's own network" }],
      notEnabled: ['forgot'],
    })),
  });
  api = await serveApi(join(folder, 'api.sock'), controls);
});
afterEach(async () => {
  await api.close();
  rmSync(folder, { recursive: true, force: true });
});

test.each([
  ['none is named', {}],
  ['the same is named', { consul: READ, kvPath: 'egress/acl', ingressPath: '/in' }],
])('the controller answers where %s', async (_what, given) => {
  await lint(flags(given), terminal());
  expect(written).toContain('of-the-controller');
  expect(written).toContain('forgot: warning: it names ACL keys but not EGRESSTRATOR_ENABLE=1');
});

test.each([
  ['another Consul', { consul: OTHER }, OTHER],
  ['other keys', { consul: READ, kvPath: 'else/' }, READ],
  ['other ingress keys', { consul: READ, ingressPath: 'else/' }, READ],
])('%s is asked, and named where it does not answer', async (_what, given, asked) => {
  await expect(lint(flags(given), terminal())).rejects.toThrow(`Consul at ${asked} refuses the connection`);
  expect(written).not.toContain('of-the-controller');
  expect(written).toMatch(/^the controller at .*api\.sock is not asked: it reads .*, not /);
});

test.each([
  ['the Consul', { consul: OTHER }, `reads Consul at ${READ}, not at ${OTHER}`],
  ['the keys', { kvPath: 'else/' }, 'reads the keys below egress/acl/, not below else/'],
  [
    'the Engine',
    { dockerHost: 'unix:///other.sock' },
    'works with the Engine at /engine.sock, not at unix:///other.sock',
  ],
])('set and clear are rejected where %s of the controller is another', async (_what, given, difference) => {
  for (const command of [set, clear])
    await expect(command('web', flags(given), terminal())).rejects.toThrow(difference);
});

test('set is done by a controller that works with what is named', async () => {
  await set('web', flags({ consul: `http://${READ}/`, dockerHost: 'unix:///engine.sock' }), terminal());
  expect(written).toContain('no running container was started');
});

test('denied does not ask a controller of another Engine', async () => {
  const given = { dockerHost: 'unix:///nowhere.sock' };
  await expect(denied(undefined, flags(given), terminal())).rejects.toThrow('/nowhere.sock');
  expect(written).toContain('works with the Engine at /engine.sock, not at unix:///nowhere.sock');
});

test.each([
  ['hosted', "hosted: it runs in the host's own network"],
  ['ab12', "hosted: it runs in the host's own network"],
  ['forgot', 'forgot names ACL keys but not EGRESSTRATOR_ENABLE=1, so it has no rules'],
  ['nobody', 'no container "nobody" with EGRESSTRATOR_ENABLE=1 runs here'],
])('explain says of %s why it has no rules', async (container, message) => {
  const wanted = { container, target: '10.0.0.1', traffic: 'tcp/80' };
  await expect(explain(wanted, flags({}), terminal())).rejects.toThrow(message);
});

test.each([
  ['lint', 'db'],
  ['health', 'web'],
  ['status', 'web', 'db'],
  ['diff', 'a', 'b'],
])('%s takes no more words than it knows what to do with', async (...words) => {
  const never = () => Promise.reject(new Error('it ran'));
  const actions = new Proxy({}, { get: () => never });
  const program = createProgram('1.0.0', Object.assign(actions));
  for (const one of [program, ...program.commands])
    one.exitOverride().configureOutput({ writeErr: () => {} });
  await expect(program.parseAsync(words, { from: 'user' })).rejects.toThrow(
    `too many arguments for '${words[0]}'`,
  );
});
