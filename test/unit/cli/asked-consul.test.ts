/** A Consul that is named on the command line is asked, though a controller runs that reads another. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { explain } from '../../../src/cli/commands/explain.ts';
import { lint } from '../../../src/cli/commands/lint.ts';
import { createProgram } from '../../../src/cli/program.ts';
import type { Terminal } from '../../../src/config/terminal.ts';
import { type ApiServer, serveApi } from '../../../src/daemon/api/server.ts';

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
  api = await serveApi(join(folder, 'api.sock'), {
    status: () => ({ namespaces: [], sources: [], refused: [] }),
    ready: () => true,
    override: async () => ({ results: [] }),
    metrics: async () => ({ contentType: 'text/plain', text: '' }),
    denied: async () => [],
    snapshot: async () => ({
      ...{ places: [], services: [], unread: [], protectedHosts: [], denylist: false, recordsDenied: true },
      rules: [{ key: 'of-the-controller', text: '' }],
      refused: [{ name: 'hosted', id: 'ab12', reason: "it runs in the host's own network" }],
      unasked: ['forgot'],
      ...{ consul: READ, kvPath: 'egress/acl/' },
    }),
  });
});
afterEach(async () => {
  await api.close();
  rmSync(folder, { recursive: true, force: true });
});

test.each([
  ['none is named', {}],
  ['the same is named', { consul: READ, kvPath: 'egress/acl' }],
])('the controller answers where %s', async (_what, given) => {
  await lint(flags(given), terminal());
  expect(written).toContain('of-the-controller');
  expect(written).toContain('forgot: warning: it names ACL keys but not EGRESSTRATOR_ENABLE=1');
});

test.each([
  ['another Consul', { consul: OTHER }, OTHER],
  ['other keys', { consul: READ, kvPath: 'else/' }, READ],
])('%s is asked, and named where it does not answer', async (_what, given, asked) => {
  await expect(lint(flags(given), terminal())).rejects.toThrow(`Consul at ${asked} refuses the connection`);
  expect(written).not.toContain('of-the-controller');
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
