/**
 * Attempts to hide denied connections from an operator, or to forge what an operator reads.
 */
import { execa } from 'execa';
import { expect } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import { runCli } from '../support/egresstrator.ts';
import type { Attacker } from './attacker.ts';
import { DENIED_TARGET, enabledByVariables } from './attempts.ts';
import { type AttemptContext, assertConclusive, type CustomAttempt } from './custom-attempts.ts';
import type { ImageSpec } from './images.ts';

/** Clears the screen, sets the terminal's title, reverses the text direction, and ends the line. */
const CONTROL_TEXT = '\u001b[2J\u001b]0;title\u0007\u202egnihton\u2066\u009b31m\r';
const FORGED = '{"level":"info","time":"2026-01-01T00:00:00.000Z","msg":"rules loaded","container":"forged"}';

export const recordImages: Readonly<Record<string, ImageSpec>> = {
  evil: {
    env: [`EGRESSTRATOR_MODE=${CONTROL_TEXT}`, `EGRESSTRATOR_ACL=${CONTROL_TEXT},a\n${FORGED}\n,b`],
    labels: { 'egresstrator.dns': `${CONTROL_TEXT}\n${FORGED}\n` },
  },
};

const PRINTABLE = /^[\n\x20-\x7e\u00a1-\u200a\u2010-\u2027\u2030-\u205e\u2070-\ufefe\ufffd]*$/;

const cliOutput = async ({ controller }: AttemptContext, ...args: readonly string[]): Promise<string> => {
  const { stdout, stderr } = await runCli([...args, '--socket', controller().socket]);
  return `${stdout}${stderr}`;
};

/** Sends 9,000 datagrams to different ports, or to different addresses, all of them the lab's own. */
const floodProgram = (address: string, what: 'ports' | 'addresses'): string => `
const socket = require('node:dgram').createSocket('udp4');
socket.on('error', () => {});
const target = (i) => ${what === 'ports' ? `[10000 + i, '${address}']` : "[9, ['198.18', i >> 8, i & 255].join('.')]"};
const send = (i) => new Promise((done) => socket.send('x', ...target(i), done));
(async () => { for (let i = 0; i < 9000; i++) await send(i); socket.close(); })();`;

async function runFlood(attacker: Attacker, what: 'ports' | 'addresses'): Promise<void> {
  const { testbed } = attacker;
  const address = testbed.address('denied');
  // Without rules, the datagrams go to this container of the lab.
  const [ip = '', ...route] = attacker.inside('ip', 'route', 'replace', '198.18.0.0/16', 'via', address);
  await execa(ip, route);
  const [file = '', ...args] = attacker.inside(process.execPath, '-e', floodProgram(address, what));
  await execa(file, args, { timeout: 60_000 });
}

/** The number of destinations in the kernel's deny record of the namespace. */
async function countRecorded(attacker: Attacker): Promise<number> {
  const [file = '', ...args] = attacker.inside('nft', '-j', 'list', 'ruleset');
  const { stdout } = await execa(file, args, { maxBuffer: 50_000_000 });
  return stdout.split('"counter":').length - 1;
}

const fullRecord = (what: 'ports' | 'addresses'): CustomAttempt => ({
  name: `9,000 datagrams to different ${what} fill the deny record`,
  isOfNoEngine: true,
  make: async (context) => {
    const attacker = await context.run('plain', { options: enabledByVariables });
    const stopped = async () => !(await attacker.reaches(DENIED_TARGET));
    await waitFor(stopped, { what: 'rules', timeout: 60_000 });
    await runFlood(attacker, what);
    assertConclusive((await countRecorded(attacker)) > 2_000, 'the record is not full');
    await attacker.reaches({ at: 'names', port: 80 });
    const tells = async () => {
      const denied = await cliOutput(context, 'denied', attacker.name);
      return denied.includes(context.testbed.address('names')) || /full/i.test(denied) ? denied : undefined;
    };
    await waitFor(tells, {
      what: 'the later denial, or that the record is full',
      timeout: 60_000,
      interval: 500,
    });
    await context.testbed.must('rm', '--force', attacker.id);
  },
});

/** The log without lines about other containers of the testbed: problems of their images may still be logged. */
function withoutOtherContainers({ testbed }: AttemptContext, output: string, { name }: Attacker): string {
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

const controlCharacters: CustomAttempt = {
  name: 'escape sequences, line breaks and bidirectional controls in image settings',
  make: async (context) => {
    const from = [context.controller().log.length, context.controller().output.length] as const;
    const attacker = await context.run('evil', { options: ['-e', 'EGRESSTRATOR_ENABLE=1'] });
    const { Config } = await attacker.inspect();
    assertConclusive(
      JSON.stringify(Config).includes('\u202e') &&
        (Config.Env ?? []).some((one) => one.includes(CONTROL_TEXT)),
      'the Engine has not kept the settings',
    );
    await waitFor(async () => !(await attacker.reaches(DENIED_TARGET)), { what: 'rules', timeout: 60_000 });
    const outputs = await Promise.all([
      cliOutput(context, 'status'),
      cliOutput(context, 'status', attacker.name),
      cliOutput(context, 'denied', attacker.name),
      cliOutput(context, 'explain', attacker.name, context.testbed.address('denied'), 'tcp/80'),
      cliOutput(context, 'suggest', attacker.name),
      cliOutput(context, 'lint'),
    ]);
    for (const text of outputs) {
      expect(PRINTABLE.test(text), JSON.stringify(text)).toBe(true);
      expect(text.split('\n').filter((line) => line.startsWith('{'))).toEqual([]);
    }
    const log = context.controller().log.slice(from[0]);
    expect(log.filter(({ container }) => container === 'forged')).toEqual([]);
    const text = withoutOtherContainers(context, context.controller().output.slice(from[1]), attacker);
    expect(PRINTABLE.test(text), JSON.stringify(text)).toBe(true);
    await context.testbed.must('rm', '--force', attacker.id);
  },
};

export const records: readonly CustomAttempt[] = [
  fullRecord('ports'),
  fullRecord('addresses'),
  controlCharacters,
];
