/**
 * One container of an attempt: what it reaches, asked from inside its namespace by this machine's programs,
 * and what its own program said.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { execa } from 'execa';
import { waitFor } from '../../lab/wait.ts';
import type { Attempt, Target } from './attempts.ts';
import type { Place, Testbed } from './testbed.ts';

export type Start = 'without the gate' | 'with the gate';

/** What the first instruction sends, and hears again if it gets through. */
const FIRST = 'first';

export interface Seen {
  readonly State: { readonly Pid: number; readonly StartedAt: string; readonly Paused: boolean };
  readonly Config: {
    readonly Env: readonly string[] | null;
    readonly Labels: Readonly<Record<string, string>> | null;
  };
  readonly NetworkSettings: { readonly SandboxKey: string };
  readonly ResolvConfPath: string;
}

export class Attacker {
  readonly testbed: Testbed;
  readonly attempt: Attempt;
  readonly id: string;
  readonly name: string;
  /** Of its network namespace: its first process may have gone to another. */
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
    start: Start,
  ): Promise<Attacker> {
    const runtime = start === 'with the gate' ? ['--runtime', 'egresstrator'] : [];
    const dns = ['--dns', testbed.address('names'), '--network', testbed.network];
    const label = ['--label', `egresstrator-test=${testbed.workloads.prefix}`];
    const options = ['--detach', '--name', testbed.workloads.nameOf(name), ...label, ...dns, ...runtime];
    const id = await testbed.must(
      'run',
      ...options,
      ...attempt.run,
      image,
      'sh',
      '-c',
      program(testbed, attempt),
    );
    const attacker = new Attacker(testbed, attempt, id, testbed.workloads.nameOf(name));
    await attempt.after?.(attacker);
    await attacker.settle();
    return attacker;
  }

  /** Looks again where its namespace is. */
  async settle(): Promise<void> {
    this.#namespace = (await this.see()).NetworkSettings.SandboxKey;
  }

  async see(): Promise<Seen> {
    return JSON.parse(await this.testbed.must('inspect', '--format', '{{json .}}', this.id));
  }

  /** Whether its program's very first connection got through, once it is known. */
  async gotThrough(): Promise<boolean> {
    const said = async () => {
      const { stdout } = await this.testbed.docker('logs', this.id);
      return stdout.includes('tried') ? stdout : undefined;
    };
    return (await waitFor(said, { what: 'the first instruction', timeout: 60_000, interval: 200 })).includes(
      FIRST,
    );
  }

  /** Whether an echo comes back. */
  async reaches({ at, port }: { readonly at: Place; readonly port: number }): Promise<boolean> {
    const [file = '', ...args] = this.inside('busybox', 'nc', '-w', '2', this.testbed.address(at), `${port}`);
    const { stdout } = await execa(file, args, { input: 'hello\n', reject: false, timeout: 4_000 });
    return stdout.includes('hello');
  }

  open({ at, port }: { readonly at: Place; readonly port: number }): Flow {
    return new Flow(this.inside('busybox', 'nc', this.testbed.address(at), `${port}`));
  }

  inside(...command: readonly string[]): readonly string[] {
    return ['nsenter', `--net=${this.#namespace}`, ...command];
  }

  /** Whether the Engine made of image and flags what the attempt says. */
  async saysSo(): Promise<boolean> {
    const { Config } = await this.see();
    const labels = Object.entries(Config.Labels ?? {}).map(([name, value]) => `${name}=${value}`);
    const said = new Set([...(Config.Env ?? []), ...labels]);
    return (this.attempt.says ?? []).every((one) => said.has(one));
  }
}

/** Its first instruction is the forbidden connection; then comes the trick. */
function program(testbed: Testbed, { target, trick = '' }: Attempt): string {
  const { at, port }: Target = target ?? { at: 'denied', port: 80 };
  const first = `echo ${FIRST} | nc -w 1 ${testbed.address(at)} ${port}; echo tried`;
  return `DENIED=${testbed.address('denied')}\n${first}\n${trick}\nwhile sleep 1000; do :; done`;
}

/** A connection that sends something ten times a second for as long as it may. */
export class Flow implements Disposable {
  readonly #child: ChildProcess;
  readonly #beat: NodeJS.Timeout;
  #heardAt = Number.NaN;
  #ended = false;

  constructor([file = '', ...args]: readonly string[]) {
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#child.stdin?.on('error', () => {});
    this.#child.stdout?.on('data', () => {
      this.#heardAt = performance.now();
    });
    this.#child.on('exit', () => {
      this.#ended = true;
    });
    this.#beat = setInterval(() => this.#child.stdin?.write('x\n'), 100);
  }

  /** Milliseconds since the last echo; NaN before the first. */
  get silentFor(): number {
    return performance.now() - this.#heardAt;
  }

  get isCut(): boolean {
    return this.#ended || this.silentFor > 1_000;
  }

  async established(): Promise<void> {
    await waitFor(() => this.silentFor < 500, { what: 'a flow to be granted', timeout: 30_000 });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#beat);
    this.#child.kill('SIGKILL');
  }
}
