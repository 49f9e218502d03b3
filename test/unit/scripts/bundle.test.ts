/** What `npm run build` makes: all that the program needs but its files, a chunk for each command. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = mkdtempSync(join(tmpdir(), 'egt-bundle-'));
const dist = join(root, 'dist/cli');

beforeAll(() => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/bundle.ts', join(root, 'dist')], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  cpSync('package.json', join(root, 'package.json'));
  for (const name of ['dataplane', 'gate', 'templates']) symlinkSync(resolve(name), join(root, name));
}, 60_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  spawnSync(join(dist, 'main.js'), args, {
    ...{ encoding: 'utf8', cwd: '/' },
    env: { PATH: process.env.PATH, ...env },
  });

test('runs without node_modules, and each command says what is wrong as from source', () => {
  const commands = readdirSync('src/cli/commands').filter((name) => !['run.ts', 'targets.ts'].includes(name));
  for (const name of commands) {
    const args = [name.replace('.ts', ''), '--help'];
    const { status, stdout, stderr } = run(args);
    expect({ status, stderr }, name).toEqual({ status: 0, stderr: '' });
    expect(stdout, name).toContain('Usage: egresstrator');
  }
  const noEngine = run([
    '--docker-host',
    'unix:///nonexistent/docker.sock',
    '--state-dir',
    '',
    '--run-dir',
    '',
  ]);
  expect(noEngine).toMatchObject({ status: 1, stdout: '' });
  expect(noEngine.stderr).toMatch(/^egresstrator: There is no Docker Engine at [^\n]*\n$/);
  // By TCP a package calls what Node.js warns of outside of node_modules.
  const nobody = run(['clear', 'web', '--docker-host', 'tcp://127.0.0.1:1']);
  expect(nobody.stderr).toMatch(/^egresstrator: Nothing answers at tcp:[^\n]*\n$/);
});

test('requires no file beside it: it holds them all', () => {
  for (const name of readdirSync(dist).filter((one) => one.endsWith('.js')))
    expect(readFileSync(join(dist, name), 'utf8').match(/require\d*\(["']\.[^)]*\)/g), name).toBeNull();
});

test('has a chunk for each command', () => {
  const chunks = readdirSync(dist);
  for (const file of readdirSync('src/cli/commands')) {
    const chunk = new RegExp(`^${file.replace('.ts', '')}-\\w+\\.js$`);
    if (!['gate.ts', 'targets.ts'].includes(file))
      expect(chunks, file).toContainEqual(expect.stringMatching(chunk));
  }
});

test('a stack trace names the functions, and where the log level is debug the lines of the sources', () => {
  // What no user can mend: a runtime that lacks what every one has.
  const broken = '--import=data:text/javascript,Array.prototype.flatMap=()=>null.broken';
  const env = { NODE_OPTIONS: broken, EGRESSTRATOR_LOG_LEVEL: 'debug' };
  expect(run(['status'], env).stderr).toMatch(/at optionsOf \(\S*\/src\/cli\/legacy-arguments\.ts:\d+/);
});

test('holds the licences of what it is made of', () => {
  const text = readFileSync(join(dist, 'LICENSES'), 'utf8');
  for (const name of ['commander', 'dockerode', 'fastify', 'handlebars', 'zod'])
    expect(text).toMatch(new RegExp(`^${name} [\\d.]+: (MIT|Apache-2.0)$`, 'm'));
  expect(text).not.toContain('undefined');
});
