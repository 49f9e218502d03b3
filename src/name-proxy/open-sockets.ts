/**
 * Opens the sockets of one namespace: a child of ours is run inside it, binds them, passes them to this process, and
 * ends. From then on this process serves them, although it is in another namespace. They belong to a namespace by
 * where they were opened, so a question needs no address to be told which workload has asked.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:dgram';
import { Server } from 'node:net';
import { z } from 'zod';
import { assetPath } from '../common/assets.ts';
import { LoadError, messageOf } from '../common/errors.ts';
import type { NamespaceRef } from '../dataplane/dataplane.ts';
import { openNamespace } from '../dataplane/process-namespace.ts';
import type { DatagramSocket } from './datagram-socket.ts';
import { connectGrants, type GrantSocket } from './grant-socket.ts';

export interface WantedSockets {
  /** Where questions are served; another one if it is taken. Default: one that is free. */
  readonly port?: number | undefined;
  /** From where Docker's resolver is asked; the same. */
  readonly dockerPort?: number | undefined;
  /** The file of the cgroup that the sockets shall belong to; default: that of this process. */
  readonly cgroup?: string | undefined;
}

/** All of them must be closed, or the namespace stays after its containers. */
export interface NameSockets {
  readonly port: number;
  readonly dockerPort: number;
  /** Those of IPv4 first; those of IPv6 only if it is there. */
  readonly udp: readonly DatagramSocket[];
  readonly tcp: readonly Server[];
  /** For questions to Docker's resolver. */
  readonly docker: DatagramSocket;
  readonly grants: GrantSocket;
  close(): void;
}

export interface OpenSettings {
  /** Milliseconds after which the child is killed. */
  readonly limit: number;
  readonly program: string;
}

const DEFAULTS: OpenSettings = { limit: 10_000, program: assetPath('dataplane/open-sockets.mjs') };

/** What the child says. All but the last two come with a socket. */
const messageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['udp', 'tcp', 'docker', 'grants']) }),
  z.object({ kind: z.literal('done'), port: portSchema(), dockerPort: portSchema(), hasIpv6: z.boolean() }),
  z.object({ kind: z.literal('failed'), reason: z.string() }),
]);

type Message = z.infer<typeof messageSchema>;

function portSchema() {
  return z.number().int().min(1).max(65_535);
}

/** Throws an error that says why there are none. */
export async function openSockets(
  namespace: NamespaceRef,
  wanted: WantedSockets = {},
  settings: Partial<OpenSettings> = {},
): Promise<NameSockets> {
  const { limit, program } = { ...DEFAULTS, ...settings };
  const opened = openNamespace(namespace);
  if (opened.kind === 'gone') throw failed(namespace, 'its process is not there any more', true);
  if (opened.kind === 'host') throw failed(namespace, "it is in the host's own network namespace");
  try {
    // Our descriptor is the checked namespace, even if another process has the pid now.
    const path = `/proc/${process.pid}/fd/${opened.file.fd}`;
    return await new Opening(namespace, startChild(path, program, wanted), limit).sockets;
  } finally {
    opened.file.close();
  }
}

/** It gets none of our environment, which may contain a token. */
const startChild = (path: string, program: string, { port, dockerPort, cgroup }: WantedSockets) =>
  spawn(
    'nsenter',
    [
      ...[`--net=${path}`, process.execPath, program],
      JSON.stringify({ port: port ?? 0, dockerPort: dockerPort ?? 0, cgroup }),
    ],
    { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], env: { PATH: SEARCHED, LC_ALL: 'C' } },
  );

const SEARCHED = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const failed = (namespace: NamespaceRef, reason: string, gone = false): LoadError =>
  new LoadError(`Could not serve names in ${namespace.name}: ${reason.replace(/[\s.]+$/, '')}.`, { gone });

/** One child, from its start to its end. */
class Opening {
  readonly #ended = Promise.withResolvers<NameSockets>();
  readonly #namespace: NamespaceRef;
  readonly #child: ChildProcess;
  readonly #timer: NodeJS.Timeout;
  readonly #udp: Socket[] = [];
  readonly #tcp: Server[] = [];
  readonly #docker: Socket[] = [];
  readonly #grants: Socket[] = [];
  #state: 'running' | 'done' | 'failed' = 'running';
  #stderr = '';

  constructor(namespace: NamespaceRef, child: ChildProcess, limit: number) {
    this.#namespace = namespace;
    this.#child = child;
    this.#timer = setTimeout(() => this.#fail(`it took longer than ${limit / 1000} s`), limit);
    child.on('message', (message, handle) => this.#receive(message, handle));
    child.on('error', (error) => this.#fail(error.message));
    child.on('exit', (code, signal) =>
      this.#fail(this.#stderr || `the program ended with ${signal ?? code}`),
    );
    child.stderr?.on('data', (text) => {
      this.#stderr = `${this.#stderr}${text}`.slice(0, LONGEST_REASON);
    });
  }

  get sockets(): Promise<NameSockets> {
    return this.#ended.promise;
  }

  #receive(message: unknown, handle: unknown): void {
    const parsed = messageSchema.safeParse(message);
    this.#keep(parsed.data, handle);
    if (this.#state === 'failed') this.#close();
    else if (!parsed.success) this.#fail('the program sent something unexpected');
    else if (parsed.data.kind === 'failed') this.#fail(parsed.data.reason);
    else if (parsed.data.kind === 'done') void this.#finish(parsed.data);
  }

  /** A socket counts as received whatever the message is, so that it is closed in the end. */
  #keep(message: Message | undefined, handle: unknown): void {
    if (handle instanceof Socket) {
      this.#socketsOf(message).push(handle);
      // Of what was sent: its callback has it, and the socket goes on.
      handle.on('error', () => undefined);
    } else if (handle instanceof Server) {
      this.#tcp.push(handle);
      // Until somebody serves it, a connection would stay, and keep the namespace.
      handle.maxConnections = 0;
      handle.on('error', () => undefined);
    }
  }

  #socketsOf(message: Message | undefined): Socket[] {
    if (message?.kind === 'docker') return this.#docker;
    return message?.kind === 'grants' ? this.#grants : this.#udp;
  }

  async #finish({ port, dockerPort, hasIpv6 }: Extract<Message, { kind: 'done' }>): Promise<void> {
    const [[docker], [grants]] = [this.#docker, this.#grants];
    const expected = hasIpv6 ? 2 : 1;
    const hasAll = this.#udp.length === expected && this.#tcp.length === expected;
    if (!hasAll || docker === undefined || grants === undefined) {
      this.#fail('the program did not send all sockets');
      return;
    }
    clearTimeout(this.#timer);
    this.#state = 'done';
    try {
      this.#ended.resolve({
        ...{ port, dockerPort, docker, udp: this.#udp, tcp: this.#tcp },
        grants: await connectGrants(grants, port),
        close: () => this.#close(),
      });
    } catch (error) {
      this.#close();
      this.#ended.reject(failed(this.#namespace, messageOf(error)));
    }
  }

  #fail(reason: string): void {
    if (this.#state !== 'running') return;
    this.#state = 'failed';
    clearTimeout(this.#timer);
    this.#child.kill('SIGKILL');
    this.#close();
    this.#ended.reject(failed(this.#namespace, reason));
  }

  #close(): void {
    const all = [this.#udp, this.#docker, this.#grants, this.#tcp];
    for (const handles of all) for (const handle of handles.splice(0)) handle.close();
  }
}

const LONGEST_REASON = 500;
