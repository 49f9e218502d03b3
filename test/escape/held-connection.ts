/**
 * A connection that a program inside a container has opened and keeps open. It sends a text on demand.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { waitFor } from '../../lab/wait.ts';
import { TOOLS } from './testbed.ts';

export class HeldConnection {
  readonly #child: ChildProcess;
  readonly #output: string[] = [];

  constructor(socketPath: string, container: string, fields: readonly string[]) {
    const exec = ['-H', `unix://${socketPath}`, 'exec', '--interactive', container];
    this.#child = spawn('docker', [...exec, 'python3', `${TOOLS}/attack.py`, 'hold', ...fields], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    if (this.#child.stdout === null) throw new Error('no output of the connection');
    createInterface(this.#child.stdout).on('line', (line) => this.#output.push(line));
  }

  async connected(): Promise<void> {
    const look = () => this.#output[0] === 'connected';
    await waitFor(look, { what: 'a connection', timeout: 60_000, interval: 20 });
  }

  /** Returns what its program prints. */
  async send(text: string): Promise<string> {
    const before = this.#output.length;
    this.#child.stdin?.write(`${text}\n`);
    await waitFor(() => this.#output.length > before, { what: 'an attempt to write', interval: 10 });
    return this.#output.at(-1) ?? '';
  }

  close(): void {
    this.#child.kill();
  }
}
