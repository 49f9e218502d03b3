/** The systemd units, the compose file and the steps to install them: what outlives the controller, and what cannot fill the disk. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { settingsOf, valuesOf } from '../../support/unit-file.ts';

const IMAGE = resolve('deploy/egresstrator.service');
const NSENTER = resolve('deploy/egresstrator-nsenter.service');
const UNITS = [IMAGE, NSENTER];

const [start = ''] = valuesOf(IMAGE, 'ExecStart');
const installing = readFileSync('docs/installing.md', 'utf8');
const { version }: { version: string } = JSON.parse(readFileSync('package.json', 'utf8'));

const FOLDERS: Readonly<Record<string, string>> = {
  '/var/lib/egresstrator': 'StateDirectory',
  '/run/egresstrator': 'RuntimeDirectory',
  '/etc/egresstrator': 'ConfigurationDirectory',
};

test.each(UNITS)('%s has systemd make each folder, for root alone', (unit) => {
  for (const setting of Object.values(FOLDERS)) {
    expect(valuesOf(unit, setting)).toEqual(['egresstrator']);
    expect(valuesOf(unit, `${setting}Mode`)).toEqual(['0700']);
  }
});

test('the container sees these folders at the same place, the settings only to read, and nothing else', () => {
  const shared = [...start.matchAll(/--volume (\S+?):([^\s:]+)(:ro)?/g)].map(([, from = '', to, mode]) => {
    expect(to).toBe(from);
    return [from, mode];
  });
  expect(Object.fromEntries(shared)).toEqual({
    '/var/run/docker.sock': undefined,
    '/var/lib/egresstrator': undefined,
    '/run/egresstrator': undefined,
    '/etc/egresstrator': ':ro',
  });
});

test.each(UNITS)('what %s has in /run outlives a stop, a restart and an upgrade', (unit) => {
  expect(valuesOf(unit, 'RuntimeDirectoryPreserve')).toEqual(['yes']);
});

test.each(UNITS)('%s comes back whatever ends it, with Docker, and never beside the other', (unit) => {
  expect(valuesOf(unit, 'Restart')).toEqual(['always']);
  expect(settingsOf(unit)).toContainEqual({ section: 'Unit', name: 'StartLimitIntervalSec', value: '0' });
  expect(valuesOf(unit, 'WantedBy').join(' ').split(' ')).toEqual(['multi-user.target', 'docker.service']);
  const other = UNITS.filter((one) => one !== unit).map((one) => basename(one));
  expect(valuesOf(unit, 'Conflicts')).toEqual(other);
});

test('the container has no capability, and its log is kept once', () => {
  for (const flag of [
    '--read-only',
    '--cap-drop ALL',
    '--security-opt no-new-privileges',
    '--log-driver none',
  ])
    expect(start).toContain(flag);
});

test('nor has the one of compose a capability, or a file system that it may write to', () => {
  const compose = readFileSync('docker-compose.yml', 'utf8');
  const [controller = ''] = /^ {2}egresstrator:\n(?: {4}.*\n|\n)+/m.exec(compose) ?? [];
  for (const line of ['read_only: true', 'cap_drop: [ALL]', 'security_opt: ["no-new-privileges:true"]'])
    expect(controller).toContain(`    ${line}\n`);
});

test('it runs the image that the documents build, which is not the helper’s', () => {
  const image = `egresstrator:${version}`;
  const helper = `egresstrator-helper:${version}`;
  expect(valuesOf(IMAGE, 'Environment')).toContain(`EGRESSTRATOR_VERSION=${version}`);
  expect(start).toMatch(/ egresstrator:\$\{EGRESSTRATOR_VERSION\}$/);
  expect(readFileSync('docker-compose.yml', 'utf8')).toContain(`    image: ${image}\n`);
  const builds = [
    'Dockerfile',
    'docs/operating.md',
    'docs/installing.md',
    'deploy/egresstrator.service',
  ].flatMap((file) => [
    ...readFileSync(file, 'utf8').matchAll(/docker build (--target helper )?-t (\S+) \./g),
  ]);
  expect(builds.length).toBeGreaterThan(5);
  for (const [command, target, name = ''] of builds)
    expect([target === undefined ? image : helper, 'egresstrator:1.1.0'], command).toContain(name);
});

test('the other runs what the documents install there', () => {
  expect(valuesOf(NSENTER, 'ExecStart')).toEqual(['/opt/egresstrator/bin/egresstrator']);
  expect(valuesOf(NSENTER, 'EnvironmentFile')).toEqual(['-/etc/egresstrator/environment']);
  expect(installing).toContain('ln -sfn /opt/egresstrator-1.0.0 /opt/egresstrator ');
  for (const unit of UNITS)
    expect(installing).toContain(`install -m 644 deploy/${basename(unit)} /etc/systemd/system/`);
});

test('each way to install says how to ask the controller, to upgrade and to roll back', () => {
  const ways = installing.split(/^## /m).slice(1);
  expect(ways.map((way) => way.split('\n')[0])).toEqual([
    'The image',
    'Without images',
    'Compose',
    'The page',
  ]);
  for (const way of ways.slice(0, 3)) {
    for (const part of [/^Install: ?/m, /^Upgrade[ :]/m, /Roll back:/]) expect(way).toMatch(part);
    expect(way).toMatch(/`[^`\n]*egresstrator status`/);
  }
});

const PAGE = resolve('deploy/egresstrator-page.service');

test('the page has a user of its own in the group of the watch socket, no capability, and loopback alone', () => {
  const wanted: Readonly<Record<string, string>> = {
    ...{ DynamicUser: 'yes', SupplementaryGroups: 'egresstrator', NoNewPrivileges: 'yes' },
    ...{ CapabilityBoundingSet: '', AmbientCapabilities: '', ProtectSystem: 'strict', ProtectHome: 'yes' },
    ...{ PrivateDevices: 'yes', PrivateTmp: 'yes', RestrictNamespaces: 'yes', IPAddressDeny: 'any' },
    ...{ RestrictAddressFamilies: 'AF_INET AF_INET6 AF_UNIX', IPAddressAllow: 'localhost' },
    ...{ ExecStart: '/opt/egresstrator/bin/egresstrator page' },
  };
  for (const [name, value] of Object.entries(wanted))
    expect([name, valuesOf(PAGE, name)]).toEqual([name, [value]]);
  const [hidden = ''] = valuesOf(PAGE, 'InaccessiblePaths');
  for (const path of ['/run/docker.sock', '/run/egresstrator', '/etc/egresstrator'])
    expect(hidden).toContain(`-${path}`);
});

test('the watch socket of the units is where the page looks, is off until turned on, and is for its group', () => {
  const socket = 'EGRESSTRATOR_WATCH_SOCKET=/run/egresstrator-watch/watch.sock';
  const drop = resolve('deploy/egresstrator-watch.conf');
  expect(valuesOf(PAGE, 'Environment')).toEqual([socket]);
  expect(valuesOf(drop, 'Environment')).toEqual([socket]);
  expect(valuesOf(drop, 'SupplementaryGroups')).toEqual(['egresstrator']);
  expect(readFileSync('deploy/egresstrator-page.sysusers', 'utf8')).toMatch(/^g egresstrator -$/m);
  for (const unit of UNITS) expect(valuesOf(unit, 'Environment').join()).not.toContain('WATCH');
  for (const file of ['egresstrator-page.sysusers', 'egresstrator-watch.conf', 'egresstrator-page.service'])
    expect(installing).toMatch(new RegExp(`install (-D )?-m 644 deploy/${file} /etc/`));
});

test('the page of compose has no privileges, no socket of the Engine, and a port on loopback alone', () => {
  const compose = readFileSync('docker-compose.yml', 'utf8');
  const [page = ''] = /^ {2}page:\n(?: {4}.*\n|\n)+/m.exec(compose) ?? [];
  for (const line of [
    'read_only: true',
    'cap_drop: [ALL]',
    'user: "65532:65532"',
    'ports: ["127.0.0.1:9465:9465"]',
  ])
    expect(page).toContain(`    ${line}\n`);
  expect([...page.matchAll(/^ {6}- (\S+:\S+)$/gm)].map(([, volume]) => volume)).toEqual([
    'egresstrator-watch:/run/egresstrator-watch:ro',
  ]);
});

const EXAMPLES = ['deploy/container-forwards.service', 'deploy/egresstrator-host-boot.service'].map((unit) =>
  resolve(unit),
);

test.each([...UNITS, PAGE, ...EXAMPLES])('systemd, where it is, finds no fault with %s', (unit) => {
  const { error, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', unit]);
  if (error !== undefined) return expect(error.message).toContain('ENOENT');
  // What it says of other units, or of programs that are not installed here, is no fault of this one.
  const messages = `${stdout}${stderr}`.split('\n').filter((line) => line.includes(`${basename(unit)}:`));
  expect(messages.filter((line) => !line.includes('is not executable'))).toEqual([]);
});

test('each lets Prometheus in, where the scrape example looks for it, and the file may say otherwise', () => {
  const scrape = readFileSync('deploy/prometheus/prometheus.yml', 'utf8');
  const alerts = readFileSync('deploy/prometheus/egresstrator.rules.yml', 'utf8');
  const compose = readFileSync('docker-compose.yml', 'utf8');
  for (const unit of UNITS) {
    expect(valuesOf(unit, 'Environment')).toContain('EGRESSTRATOR_LISTEN=127.0.0.1:9464');
    expect(valuesOf(unit, 'EnvironmentFile')).toEqual(['-/etc/egresstrator/environment']);
  }
  expect(start).toContain('--env EGRESSTRATOR_LISTEN ');
  expect(valuesOf(IMAGE, 'UnsetEnvironment')).toEqual(['DOCKER_HOST DOCKER_TLS_VERIFY DOCKER_CERT_PATH']);
  expect(scrape).toMatch(/^ {6}- targets: \[127\.0\.0\.1:9464\]$/m);
  expect(scrape).toContain('targets: [egresstrator:9464]');
  expect(compose).toMatch(
    /^ {6}EGRESSTRATOR_LISTEN: 0\.0\.0\.0:9464\n {6}EGRESSTRATOR_ALLOW_HOST: egresstrator$/m,
  );
  const [, job = ''] = /job_name: (\S+)/.exec(scrape) ?? [];
  expect([...alerts.matchAll(/job="([^"]+)"/g)].map(([, named]) => named)).toEqual([job]);
  expect(scrape).toContain('rule_files: [egresstrator.rules.yml]');
});

test('compose bounds what the controller logs', () => {
  const compose = readFileSync('docker-compose.yml', 'utf8');
  expect(compose).toMatch(
    /^ {4}logging: \{ driver: json-file, options: \{ max-size: \d+m, max-file: "\d" \} \}$/m,
  );
});
