/**
 * What a workload would keep an operator from seeing, or make an operator see.
 */
import { execa } from 'execa';
import { expect } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import { runCli } from '../support/egresstrator.ts';
import type { Attacker } from './attacker.ts';
import { byVariables, FORBIDDEN } from './attempts.ts';
import { type CustomAttempt, type Kit, proves } from './custom-attempts.ts';
import type { ImageSpec } from './images.ts';

/** Clears the screen, sets the terminal's title, turns letters round, ends the line. */
const EVIL = '\u001b[2J\u001b]0;title\u0007\u202egnihton\u2066\u009b31m\r';
const FORGED = '{"level":"info","time":"2026-01-01T00:00:00.000Z","msg":"rules loaded","container":"forged"}';

export const recordImages: Readonly<Record<string, ImageSpec>> = {
  evil: {
    env: [`EGRESSTRATOR_MODE=${EVIL}`, `EGRESSTRATOR_ACL=${EVIL},a\n${FORGED}\n,b`],
    labels: { 'egresstrator.dns': `${EVIL}\n${FORGED}\n` },
  },
};

const HARMLESS = /^[\n\x20-\x7e\u00a1-\u200a\u2010-\u2027\u2030-\u205e\u2070-\ufefe\ufffd]*$/;

const command = async ({ controller }: Kit, ...args: readonly string[]): Promise<string> => {
  const { stdout, stderr } = await runCli([...args, '--socket', controller().socket]);
  return `${stdout}${stderr}`;
};

/** Datagrams to that many ports, or addresses, where nobody but the lab's own listens. */
const flood = (address: string, what: 'ports' | 'addresses'): string => `
const socket = require('node:dgram').createSocket('udp4');
socket.on('error', () => {});
const target = (i) => ${what === 'ports' ? `[10000 + i, '${address}']` : "[9, ['198.18', i >> 8, i & 255].join('.')]"};
const send = (i) => new Promise((done) => socket.send('x', ...target(i), done));
(async () => { for (let i = 0; i < 9000; i++) await send(i); socket.close(); })();`;

async function floods(attacker: Attacker, what: 'ports' | 'addresses'): Promise<void> {
  const { testbed } = attacker;
  const address = testbed.address('denied');
  // Where the datagrams would go if nothing stopped them.
  const [ip = '', ...route] = attacker.inside('ip', 'route', 'replace', '198.18.0.0/16', 'via', address);
  await execa(ip, route);
  const [file = '', ...args] = attacker.inside(process.execPath, '-e', flood(address, what));
  await execa(file, args, { timeout: 60_000 });
}

/** How many destinations the kernel's record of the namespace holds. */
async function recorded(attacker: Attacker): Promise<number> {
  const [file = '', ...args] = attacker.inside('nft', '-j', 'list', 'ruleset');
  const { stdout } = await execa(file, args, { maxBuffer: 50_000_000 });
  return stdout.split('"counter":').length - 1;
}

const blinding = (what: 'ports' | 'addresses'): CustomAttempt => ({
  name: `9,000 datagrams to as many ${what}, so that the record of denials is full`,
  make: async (kit) => {
    const attacker = await kit.run('plain', { run: byVariables });
    const stopped = async () => !(await attacker.reaches(FORBIDDEN));
    await waitFor(stopped, { what: 'rules', timeout: 60_000 });
    await floods(attacker, what);
    proves((await recorded(attacker)) > 2_000, 'the record is not full');
    await attacker.reaches({ at: 'names', port: 80 });
    const tells = async () => {
      const denied = await command(kit, 'denied', attacker.name);
      return denied.includes(kit.testbed.address('names')) || /full/i.test(denied) ? denied : undefined;
    };
    await waitFor(tells, {
      what: 'the later denial, or that the record is full',
      timeout: 60_000,
      interval: 500,
    });
    await kit.testbed.must('rm', '--force', attacker.id);
  },
});

/** Without the lines about other containers of the testbed: what their images say may still be reported. */
function withoutOthers({ testbed }: Kit, output: string, { name }: Attacker): string {
  const isOther = (line: string) => {
    const container = containerOf(line);
    return container !== name && container.startsWith(testbed.workloads.prefix);
  };
  return output
    .split('\n')
    .filter((line) => !isOther(line))
    .join('\n');
}

function containerOf(line: string): string {
  try {
    const { container }: { readonly container?: unknown } = JSON.parse(line);
    return String(container);
  } catch {
    return '';
  }
}

const talking: CustomAttempt = {
  name: "escape sequences, line breaks and letters that turn round in the image's words",
  make: async (kit) => {
    const from = [kit.controller().log.length, kit.controller().output.length] as const;
    const attacker = await kit.run('evil', { run: ['-e', 'EGRESSTRATOR_ENABLE=1'] });
    const { Config } = await attacker.see();
    proves(
      JSON.stringify(Config).includes('\u202e') && (Config.Env ?? []).some((one) => one.includes(EVIL)),
      'the Engine has not taken the words',
    );
    await waitFor(async () => !(await attacker.reaches(FORBIDDEN)), { what: 'rules', timeout: 60_000 });
    const said = await Promise.all([
      command(kit, 'status'),
      command(kit, 'status', attacker.name),
      command(kit, 'denied', attacker.name),
      command(kit, 'explain', attacker.name, kit.testbed.address('denied'), 'tcp/80'),
      command(kit, 'suggest', attacker.name),
      command(kit, 'lint'),
    ]);
    for (const text of said) {
      expect(HARMLESS.test(text), JSON.stringify(text)).toBe(true);
      expect(text.split('\n').filter((line) => line.startsWith('{'))).toEqual([]);
    }
    const log = kit.controller().log.slice(from[0]);
    expect(log.filter(({ container }) => container === 'forged')).toEqual([]);
    const text = withoutOthers(kit, kit.controller().output.slice(from[1]), attacker);
    expect(HARMLESS.test(text), JSON.stringify(text)).toBe(true);
    await kit.testbed.must('rm', '--force', attacker.id);
  },
};

export const records: readonly CustomAttempt[] = [blinding('ports'), blinding('addresses'), talking];
