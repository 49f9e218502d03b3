/**
 * Which Node.js is needed: one number, `engines` in package.json, that documents, scripts and images agree
 * with, and that the program itself looks at before anything else.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';

const Package = z.object({
  engines: z.object({ node: z.string().regex(/^>=\d+$/) }),
  devDependencies: z.object({ node: z.string() }),
});
const packageJson = Package.parse(JSON.parse(readFileSync('package.json', 'utf8')));
const needed = packageJson.engines.node.slice(2);
/** What is enough to install the dependencies, which bring the other one. */
const [, toInstall = ''] =
  /node_is_at_least node (\d+)/.exec(readFileSync('scripts/bootstrap', 'utf8')) ?? [];

const temporary = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'egt-node-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

describe('every place names the same version', () => {
  const texts = ['*', 'docs/*', 'lab/*', 'scripts/*', 'bin/*', 'deploy/*', '.ci/*']
    .flatMap((pattern) => globSync(pattern, { withFileTypes: true }))
    .filter((entry) => entry.isFile() && !entry.name.startsWith('package'))
    .map(({ parentPath, name }) => ({
      file: relative('.', join(parentPath, name)),
      path: join(parentPath, name),
    }))
    .map(({ file, path }) => ({ file, text: readFileSync(path, 'utf8') }));
  const mentions = texts.flatMap(({ file, text }) =>
    [...text.matchAll(/\bNode(?:\.js)?(?: version| is missing: install version)? v?(\d+(?:\.\d+)*)/g)].map(
      ([words, version]) => ({ file, words, version }),
    ),
  );

  test('in words', () => {
    expect(mentions.map(({ file }) => file)).toEqual(
      expect.arrayContaining(['README.md', 'CONTRIBUTING.md']),
    );
    expect(mentions.filter(({ version }) => version !== needed && version !== toInstall)).toEqual([]);
    for (const file of ['README.md', 'CONTRIBUTING.md'])
      expect(mentions.filter((one) => one.file === file).map(({ version }) => version)).toContain(toInstall);
  });

  test('as an image', () => {
    const images = texts.flatMap(({ file, text }) =>
      [...text.matchAll(/\bnode:(\d+)[\w-]*/g)].map(([, version]) => ({ file, version })),
    );
    expect(images.map(({ file }) => file)).toEqual(
      expect.arrayContaining(['Dockerfile', 'docker-compose.yml', 'scripts/setup.ts']),
    );
    expect(images.filter(({ version }) => version !== needed)).toEqual([]);
  });

  test('as the package that brings it', () => {
    expect(packageJson.devDependencies.node).toMatch(new RegExp(`^\\^${needed}\\.`));
    expect(readFileSync('package-lock.json', 'utf8')).toContain(
      `"node": ">=${needed}"\n      }\n    },\n    "node_`,
    );
  });
});

describe('the program on a Node.js that is too old', () => {
  let built: string;
  beforeAll(() => {
    built = mkdtempSync(join(tmpdir(), 'egt-built-'));
    const compile = ['scripts/bundle.ts', join(built, 'dist')];
    expect(spawnSync(process.execPath, compile, { encoding: 'utf8' })).toMatchObject({ status: 0 });
    cpSync('package.json', join(built, 'package.json'));
  }, 120_000);
  afterAll(() => rmSync(built, { recursive: true, force: true }));

  const run = (node: string) =>
    spawnSync(node, [join(built, 'dist/cli/main.js'), '--version'], { encoding: 'utf8' });
  /** Adds a chunk, and all that it imports before its first line runs. */
  const readChunk = (name: string, read: Map<string, string>) => {
    if (read.has(name)) return;
    const text = name.endsWith('.js') ? readFileSync(join(built, 'dist/cli', name), 'utf8') : '';
    read.set(name, text);
    for (const [, from = ''] of text.matchAll(/\bimport ?(?:[\w{}$, ]+from ?)?['"](.*?)['"]/g))
      readChunk(from.replace('./', ''), read);
  };
  const sentence = (version: string, found: string) =>
    `egresstrator: Node.js ${version} or later is needed, and this is ${found}: install it, or run ${join(built, 'bin/egresstrator')}, which uses the one that \`npm run build\` installs.\n`;

  test('says so in one sentence', () => {
    const current = readFileSync('package.json', 'utf8');
    writeFileSync(join(built, 'package.json'), current.replace(`>=${needed}`, '>=99'));
    expect(run(process.execPath)).toMatchObject({
      status: 1,
      stdout: '',
      stderr: sentence('99', process.versions.node),
    });
    writeFileSync(join(built, 'package.json'), current);
    expect(run(process.execPath)).toMatchObject({ status: 0, stderr: '' });
  });

  test('also where that one does not know the words of our libraries', () => {
    // Each Node.js of this machine, as old as it may be.
    const folders = (process.env.PATH ?? '').split(delimiter).concat('/usr/local/bin', '/usr/bin');
    for (const node of new Set(
      folders.map((folder) => join(folder, 'node')).filter((path) => existsSync(path)),
    )) {
      const found = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim().slice(1);
      const isOld = Number.parseInt(found, 10) < Number(needed);
      expect(run(node)).toMatchObject(
        isOld ? { status: 1, stdout: '', stderr: sentence(needed, found) } : { status: 0, stderr: '' },
      );
    }
    // Wherever this runs: nothing is read before the look but a few lines, and what every Node.js has.
    const read = new Map<string, string>();
    readChunk('main.js', read);
    const others = [...read.keys()].filter((name) => !name.endsWith('.js'));
    expect(others.sort()).toEqual(['node:fs', 'node:module', 'node:url']);
    expect([...read.values()].join('').length).toBeLessThan(10_000);
  });
});

describe('bin/egresstrator', () => {
  /** A checkout whose program and whose Node.js only say what they are. */
  function checkout(versions: { readonly path?: string; readonly own?: string }) {
    const root = temporary();
    const script = (path: string, text: string) => {
      mkdirSync(join(root, path, '..'), { recursive: true });
      writeFileSync(join(root, path), text, { mode: 0o755 });
    };
    const node = (version: string, name: string) =>
      `#!/bin/sh\n[ "$1" = --version ] && echo v${version} || echo "${name} node runs $*"\n`;
    cpSync('bin', join(root, 'bin'), { recursive: true });
    for (const file of ['scripts/find-node', 'package.json']) cpSync(file, join(root, file));
    script('src/cli/main.ts', '');
    if (versions.own !== undefined) script('node_modules/.bin/node', node(versions.own, 'own'));
    if (versions.path !== undefined) script('path/node', node(versions.path, 'other'));
    symlinkSync(join(root, 'bin/egresstrator'), join(root, 'link'));
    const PATH = `${join(root, 'path')}:/usr/sbin:/sbin`;
    for (const name of ['sed', 'readlink', 'dirname', 'find', 'head', 'sh'])
      symlinkSync(`/usr/bin/${name}`, join(root, 'path', name));
    const run = (...args: string[]) =>
      spawnSync(join(root, 'link'), args, { cwd: '/', encoding: 'utf8', env: { PATH } });
    return { root, script, run };
  }

  test.each([
    ['the one on PATH, if it is new enough', { path: `${needed}.0.0`, own: `${needed}.1.0` }, 'other'],
    ['else the one that npm brings', { path: '20.20.2', own: `${needed}.1.0` }, 'own'],
  ])('takes %s', (_, versions, name) => {
    const { root, run } = checkout(versions);
    const { status, stdout } = run('status', '--json');
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: `${name} node runs ${root}/src/cli/main.ts status --json\n`,
    });
  });

  test.each([
    [{ path: '20.20.2', own: '18.1.0' }, `there is no Node.js ${needed} or later, neither on PATH nor in`],
    [{ path: `${needed}.0.0` }, 'has no node_modules'],
  ])('says in one sentence what is missing: %o', (versions, words) => {
    const { root, run } = checkout(versions);
    const { status, stdout, stderr } = run('status');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^egresstrator: [^\n]*run `npm run build` there[^\n]*\.\n$/);
    expect(stderr).toContain(words);
    expect(stderr).toContain(root);
  });

  test('runs what was built, but not if the sources are newer', () => {
    const { root, script, run } = checkout({ path: `${needed}.0.0`, own: `${needed}.1.0` });
    script('dist/cli/main.js', '#!/bin/sh\necho built "$@"\n');
    const long = new Date(Date.now() - 3_600_000);
    for (const path of ['src', 'src/cli', 'src/cli/main.ts', 'package.json'])
      utimesSync(join(root, path), long, long);
    expect(run('status').stdout).toBe('built status\n');
    utimesSync(join(root, 'src/cli/main.ts'), new Date(), new Date(Date.now() + 1000));
    expect(run('status').stdout).toContain('src/cli/main.ts status');
  });
});

describe('npm', () => {
  test('shows no screens of warnings', () => {
    expect(readFileSync('.npmrc', 'utf8').split('\n')).toContain('loglevel=error');
  });

  test('has no shell of its own between it and what it starts: signals reach that', () => {
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync('package.json', 'utf8')));
    const starting = Object.values(scripts).filter((line) => line.includes('sh scripts/'));
    expect(starting.length).toBeGreaterThan(5);
    for (const line of starting) expect(line).toMatch(/^exec sh scripts\/\w+$/);
    for (const line of starting) {
      const text = readFileSync(line.replace('exec sh ', ''), 'utf8');
      expect(text.trimEnd().split('\n').at(-1)).toMatch(/^exec /);
    }
  });

  test('runs the lab in the Node.js that it needs, whatever the one on PATH is', () => {
    const path = (process.env.PATH ?? '').split(delimiter).filter((part) => !part.includes('node_modules'));
    const lab = (word: string) => {
      const env = { ...process.env, PATH: path.join(delimiter), EGRESSTRATOR_LAB_DIR: temporary() };
      return spawnSync('npm', ['run', '--silent', 'lab', '--', word], { encoding: 'utf8', env });
    };
    expect(lab('status')).toMatchObject({ status: 0, stdout: 'The lab has no engine yet.\n', stderr: '' });
    expect(lab('nothing')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^Usage: npm run lab -- up /),
    });
  }, 60_000);
});
