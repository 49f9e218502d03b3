/**
 * A controller, a Consul and an Engine that answer with one hostile text in every field, and commands that use them.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { addGate } from '../../src/cli/commands/gate.ts';
import { addCompletion } from '../../src/cli/completion.ts';
import { createActions } from '../../src/cli/lazy-commands.ts';
import { printError } from '../../src/cli/output.ts';
import { createProgram } from '../../src/cli/program.ts';
import type { Terminal } from '../../src/config/terminal.ts';
import { serveApi } from '../../src/daemon/api/server.ts';
import { type Calls, callsIn } from './hostile-calls.ts';
import { type HostileAnswers, hostileConsul, hostileControls, hostileEngine } from './hostile-servers.ts';

export interface Ran {
  readonly stdout: string;
  /** Standard output and standard error. */
  readonly all: string;
}

export interface HostileFixture {
  readonly folder: string;
  /** Sets the text of all answers, of a file of rules, and of a file name in the state folder. */
  setText(word: string): void;
  /** Calls by command, each without the command's name. */
  calls(): Readonly<Record<string, Calls>>;
  run(args: readonly string[], colour?: boolean): Promise<Ran>;
  close(): Promise<void>;
}

export async function openHostileFixture(): Promise<HostileFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'egresstrator-text-'));
  const hostile: HostileAnswers = { word: 'x', answers: Number.POSITIVE_INFINITY };
  const api = await serveApi(join(folder, 'api.sock'), hostileControls(hostile));
  const consul = createServer(hostileConsul(hostile)).listen(0, '127.0.0.1');
  const engine = createServer(hostileEngine(hostile)).listen(join(folder, 'engine.sock'));
  await Promise.all([consul, engine].map((one) => new Promise((resolve) => one.once('listening', resolve))));
  const environment = {
    EGRESSTRATOR_SOCKET: join(folder, 'api.sock'),
    CONSUL_HTTP_ADDR: `127.0.0.1:${portOf(consul)}`,
    DOCKER_HOST: `unix://${join(folder, 'engine.sock')}`,
  };
  return {
    folder,
    setText: (word) => {
      hostile.word = word;
      writeFiles(folder, word);
    },
    calls: () => callsIn({ folder, word: hostile.word }),
    run: (args, colour = true) => {
      hostile.answers = args.includes('--follow') ? 1 : Number.POSITIVE_INFINITY;
      return runAmong(environment, args, colour);
    },
    close: async () => {
      await api.close();
      for (const server of [consul, engine]) server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function writeFiles(folder: string, word: string): void {
  writeFileSync(join(folder, 'rules'), `# ${word}\n10.0.0.5:tcp/443 # ${word}\n${word}\n`);
  writeFileSync(join(folder, 'networks.json'), JSON.stringify(hostileNetworks(word)));
  writeFileSync(join(folder, 'empty.json'), '{}');
  mkdirSync(join(folder, 'state'), { recursive: true });
  writeFileSync(join(folder, 'state', `x${word.replaceAll(/[/\0]/g, '_').slice(0, 50)}`), '');
}

/** A file whose every text is the word. */
const hostileNetworks = (word: string) => ({
  [word]: word,
  networks: { [word]: { subnet: word, [word]: word } },
  ips: { [word]: { ip: '10.0.0.1', container_name: word } },
  policies: [
    { from: word, to: word, port: word, proto: 'tcp', [word]: 1 },
    { nat: 'dnat', iface: 'eth0', name: word, to: word, port: 1, proto: 'tcp' },
  ],
});

const ERASE = '\r\x1b[2K';

async function runAmong(
  environment: Terminal['environment'],
  args: readonly string[],
  colour: boolean,
): Promise<Ran> {
  const ran = { stdout: '', all: '' };
  const write = (isResult: boolean) =>
    new Writable({
      decodeStrings: false,
      write: (chunk, _encoding, done) => {
        // What a slow command removes its progress with, alone in a write.
        if (chunk !== ERASE) ran.all += String(chunk);
        if (isResult) ran.stdout += String(chunk);
        done();
      },
    });
  const terminal: Terminal = {
    stdout: Object.assign(write(true), { isTTY: colour }),
    stderr: Object.assign(write(false), { isTTY: colour }),
    environment,
  };
  const program = programFor(terminal);
  await program.parseAsync([...args], { from: 'user' }).catch((error: unknown) => {
    if (!(error instanceof Error && error.name === 'CommanderError')) printError(error, terminal);
  });
  return ran;
}

const portOf = (server: Server): number => {
  const address: AddressInfo | string | null = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

function programFor(terminal: Terminal) {
  const program = createProgram('0', createActions(terminal));
  addGate(program, terminal);
  addCompletion(program, (text) => terminal.stdout.write(text));
  const errors = { writeErr: (text: string) => void terminal.stderr.write(text) };
  for (const command of program.commands.flatMap((one) => [one, ...one.commands]))
    command.exitOverride().configureOutput(errors);
  return program.exitOverride().configureOutput(errors);
}
