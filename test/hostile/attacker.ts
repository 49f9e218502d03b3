/**
 * One container of an attempt. This machine's programs find out from inside its namespace what it reaches; its log
 * tells whether its own first connection succeeded.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { execa } from 'execa';
import { z } from 'zod';
import { waitFor } from '../../lab/wait.ts';
import type { Attempt, Target } from './attempts.ts';
import type { HostName, Testbed } from './testbed.ts';

export type StartMode = 'without the gate' | 'with the gate';

/** The text that the first instruction sends. The server echoes it if the connection succeeds. */
const FIRST_MESSAGE = 'first';

const Inspected = z.object({
  State: z.object({ Pid: z.number(), StartedAt: z.string(), Paused: z.boolean() }),
  Config: z.object({
    Env: z.array(z.string()).nullable(),
    Labels: z.record(z.string(), z.string()).nullable(),
  }),
  NetworkSettings: z.object({ SandboxKey: z.string() }),
  ResolvConfPath: z.string(),
});

export class Attacker {
  readonly testbed: Testbed;
  readonly attempt: Attempt;
  readonly id: string;
  readonly name: string;
  /** The file of its network namespace: its first process may have moved to another namespace. */
  #namespace = '';

  private constructor(testbed: Testbed, attempt: Attempt, id: string, name: string) {
    this.testbed = testbed;
    this.attempt = attempt;
    this.id = id;
    this.name = name;
  }

  static async start(
    testbed: Testbed,
    attempt: Attempt,
    name: string,
    image: string,
    start: StartMode,
  ): Promise<Attacker> {
    const runtime = start === 'with the gate' ? ['--runtime', 'egresstrator'] : [];
    const dns = ['--dns', testbed.address('names'), '--network', testbed.network];
    const label = ['--label', `egresstrator-test=${testbed.workloads.prefix}`];
    const options = ['--detach', '--name', testbed.workloads.nameOf(name), ...label, ...dns, ...runtime];
    const id = await testbed.must(
      'run',
      ...options,
      ...attempt.options,
      image,
      'sh',
      '-c',
      program(testbed, attempt),
    );
    const attacker = new Attacker(testbed, attempt, id, testbed.workloads.nameOf(name));
    await attempt.afterStart?.(attacker);
    await attacker.findNamespace();
    return attacker;
  }

  /** Reads the file of its namespace again, because a restart makes a new one. */
  async findNamespace(): Promise<void> {
    this.#namespace = (await this.inspect()).NetworkSettings.SandboxKey;
  }

  async inspect(): Promise<z.infer<typeof Inspected>> {
    return Inspected.parse(await this.testbed.workloads.inspect(this.id));
  }

  /** Whether its program's first connection succeeded. Waits until that is known. */
  async firstConnectionPassed(): Promise<boolean> {
    const firstLines = async () => {
      const { stdout } = await this.testbed.docker('logs', this.id);
      return stdout.includes('tried') ? stdout : undefined;
    };
    return (
      await waitFor(firstLines, { what: 'the first instruction', timeout: 60_000, interval: 200 })
    ).includes(FIRST_MESSAGE);
  }

  /** Whether the target echoes a text. */
  async reaches({ at, port }: { readonly at: HostName; readonly port: number }): Promise<boolean> {
    const [file = '', ...args] = this.inside('busybox', 'nc', '-w', '2', this.testbed.address(at), `${port}`);
    const { stdout } = await execa(file, args, { input: 'hello\n', reject: false, timeout: 4_000 });
    return stdout.includes('hello');
  }

  /** Whether several connections in a row fail: on a busy machine, one may time out before rules are loaded. */
  async isDenied(target: Target): Promise<boolean> {
    for (let tries = 0; tries < 3; tries += 1) if (await this.reaches(target)) return false;
    return true;
  }

  open({ at, port }: { readonly at: HostName; readonly port: number }): Flow {
    return new Flow(this.inside('busybox', 'nc', this.testbed.address(at), `${port}`));
  }

  inside(...command: readonly string[]): readonly string[] {
    return ['nsenter', `--net=${this.#namespace}`, ...command];
  }

  /** Whether the Engine made the settings that the attempt expects from image and options. */
  async hasExpectedSettings(): Promise<boolean> {
    const { Config } = await this.inspect();
    const labels = Object.entries(Config.Labels ?? {}).map(([name, value]) => `${name}=${value}`);
    const settings = new Set([...(Config.Env ?? []), ...labels]);
    return (this.attempt.expectedSettings ?? []).every((one) => settings.has(one));
  }
}

/** First connects to the target, which must be denied, and then runs the attempt's script. */
function program(testbed: Testbed, { target, script = '' }: Attempt): string {
  const { at, port }: Target = target ?? { at: 'denied', port: 80 };
  const first = `echo ${FIRST_MESSAGE} | nc -w 1 ${testbed.address(at)} ${port}; echo tried`;
  return `DENIED=${testbed.address('denied')}\n${first}\n${script}\nwhile sleep 1000; do :; done`;
}

/** A connection that sends a line ten times a second until it is cut. */
export class Flow implements Disposable {
  readonly #child: ChildProcess;
  readonly #timer: NodeJS.Timeout;
  #lastEchoAt = Number.NaN;
  #ended = false;

  constructor([file = '', ...args]: readonly string[]) {
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#child.stdin?.on('error', () => {});
    this.#child.stdout?.on('data', () => {
      this.#lastEchoAt = performance.now();
    });
    this.#child.on('exit', () => {
      this.#ended = true;
    });
    this.#timer = setInterval(() => this.#child.stdin?.write('x\n'), 100);
  }

  /** Milliseconds since the last echo; NaN before the first. */
  get silentFor(): number {
    return performance.now() - this.#lastEchoAt;
  }

  get isCut(): boolean {
    return this.#ended || this.silentFor > 1_000;
  }

  async established(): Promise<void> {
    await waitFor(() => this.silentFor < 500, { what: 'a flow to be granted', timeout: 60_000 });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#child.kill('SIGKILL');
  }
}
