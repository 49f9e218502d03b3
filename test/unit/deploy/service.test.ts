/** The systemd unit and the compose file: what outlives the controller, and what cannot fill the disk. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const UNIT = resolve('deploy/egresstrator.service');

interface Setting {
  readonly section: string;
  readonly name: string;
  readonly value: string;
}

/** A line that ends in a backslash goes on in the next. */
function settingsOf(text: string): readonly Setting[] {
  let section = '';
  const lines = text
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return lines.flatMap((line) => {
    const [, header] = /^\[(\w+)\]$/.exec(line) ?? [];
    section = header ?? section;
    const [, name, value = ''] = /^(\w+)=(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [{ section, name, value }];
  });
}

const settings = settingsOf(readFileSync(UNIT, 'utf8'));
const valuesOf = (name: string): readonly string[] =>
  settings.filter((one) => one.name === name).map(({ value }) => value);
const [start = ''] = valuesOf('ExecStart');

test('each folder that it shares with the host is made by systemd, for root alone', () => {
  const folders: Readonly<Record<string, string>> = {
    '/var/lib/egresstrator': 'StateDirectory',
    '/run/egresstrator': 'RuntimeDirectory',
  };
  const shared = [...start.matchAll(/--volume (\S+?):(\S+)/g)].map(([, from = '', to]) => ({ from, to }));
  const own = shared.filter(({ from }) => from !== '/var/run/docker.sock');
  expect(own.map(({ from }) => from).toSorted()).toEqual(Object.keys(folders).toSorted());
  for (const { from, to } of own) {
    expect(to).toBe(from);
    const setting = folders[from] ?? '';
    expect(valuesOf(setting)).toEqual(['egresstrator']);
    expect(valuesOf(`${setting}Mode`)).toEqual(['0700']);
  }
});

test('the folder in /run outlives a stop, a restart and an upgrade', () => {
  expect(valuesOf('RuntimeDirectoryPreserve')).toEqual(['yes']);
});

test('it comes back whatever ends it, and with Docker', () => {
  expect(valuesOf('Restart')).toEqual(['always']);
  expect(settings).toContainEqual({ section: 'Unit', name: 'StartLimitIntervalSec', value: '0' });
  expect(valuesOf('WantedBy').join(' ').split(' ')).toEqual(['multi-user.target', 'docker.service']);
});

test('it runs without a capability, and its log is kept once', () => {
  for (const flag of [
    '--read-only',
    '--cap-drop ALL',
    '--security-opt no-new-privileges',
    '--log-driver none',
  ])
    expect(start).toContain(flag);
});

test('it names the version of this package', () => {
  const { version }: { version: string } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(valuesOf('Environment')).toEqual([`EGRESSTRATOR_VERSION=${version}`]);
});

test('systemd, where it is, finds no fault with it', () => {
  const { error, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', UNIT]);
  if (error !== undefined) return expect(error.message).toContain('ENOENT');
  // What it says of other units, or of a Docker that is not installed, is no fault of this one.
  expect(`${stdout}${stderr}`.split('\n').filter((line) => line.includes('egresstrator.service:'))).toEqual(
    [],
  );
});

test('compose bounds what the controller logs', () => {
  const compose = readFileSync('docker-compose.yml', 'utf8');
  expect(compose).toMatch(
    /^ {4}logging: \{ driver: json-file, options: \{ max-size: \d+m, max-file: "\d" \} \}$/m,
  );
});
