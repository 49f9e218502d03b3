/**
 * The only client of Consul: every request goes through the `consul` package, with one keep-alive agent, one timeout,
 * one size limit and one form of error. Answers are returned undecoded, with Consul's metadata.
 */
import { EventEmitter } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import Consul from 'consul';
import { z } from 'zod';
import { explain } from './errors.ts';
import type { Settings } from './options.ts';
import { asPapi, guardAnswers, type Papi } from './papi.ts';
import { currentToken } from './token.ts';

/**
 * `consistent`: at once, from the verified leader. `stale`: at once, from any server, which may be behind. `blocking`:
 * after a change beyond `index` or after `wait` ms, from any server, however stale.
 */
export type ReadMode =
  | { readonly kind: 'consistent' | 'stale' }
  | { readonly kind: 'blocking'; readonly index: bigint; readonly wait: number };

export interface Call {
  /** For messages: `service pg@dc2`, `the registration`. */
  readonly what: string;
  /** Default: the datacenter of the settings. */
  readonly datacenter?: string | undefined;
  /** Of a read. */
  readonly mode?: ReadMode;
  readonly signal?: AbortSignal;
  /** Statuses that are results, not errors. */
  readonly accept?: readonly number[];
}

/** One method of the package, called with the options that each of them takes. */
export type Request = (consul: Consul & Papi, common: CommonOptions) => Promise<unknown>;

interface CommonOptions {
  readonly token?: string;
  readonly dc?: string;
  readonly timeout: number;
  readonly ctx: EventEmitter;
}

export interface Reply {
  readonly status: number;
  readonly body: Buffer;
  /** `X-Consul-Index`; undefined if it is missing, which means that another server answered. */
  readonly index: bigint | undefined;
  /** False if the answering server has lost its leader, and may be behind. */
  readonly leaderKnown: boolean;
  /** Milliseconds since the server last heard from its leader. */
  readonly lastContact: number;
  /** True if Consul (1.11 or later) reports that ACLs hide a part. */
  readonly filtered: boolean;
}

export class ConsulClient {
  readonly settings: Settings;
  readonly #agent: http.Agent;
  readonly #consul: Consul & Papi;

  constructor(settings: Settings) {
    this.settings = settings;
    this.#agent = agentFor(settings);
    this.#consul = asPapi(packageClient(settings, this.#agent));
    guardAnswers(this.#consul, settings.endpoint.secure);
  }

  /** Fails with a `ConsulError`, or with the reason of `signal`. */
  async send(call: Call, request: Request): Promise<Reply> {
    const { what, datacenter = this.settings.datacenter, mode, signal, accept = [] } = call;
    const { endpoint, timeout } = this.settings;
    // The package cancels a request on the event "cancel" of its `ctx`, and returns the whole response if `ctx` has
    // `includeResponse`.
    const ctx = Object.assign(new EventEmitter(), { includeResponse: true });
    const cancel = () => ctx.emit('cancel');
    signal?.addEventListener('abort', cancel, { once: true });
    let token: string | undefined;
    try {
      token = await currentToken(this.settings);
      signal?.throwIfAborted();
      const target = { ...(token && { token }), ...(datacenter && { dc: datacenter }) };
      return replyOf(await request(this.#consul, { ...readOptions(mode, timeout), ...target, ctx }));
    } catch (error) {
      signal?.throwIfAborted();
      const { response } = failedAnswer.safeParse(error).data ?? {};
      if (response !== undefined && accept.includes(response.statusCode)) return replyOf(response);
      throw explain(error, { endpoint, what, datacenter, token });
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}

const answer = z.object({
  statusCode: z.number(),
  body: z.instanceof(Buffer).default(Buffer.alloc(0)),
  headers: z.record(z.string(), z.unknown()),
});
const failedAnswer = z.object({ code: z.undefined().optional(), response: answer });

/** A method of the package resolves to `[response, data]`, a method of papi to the response. */
function replyOf(resolved: unknown): Reply {
  const { statusCode, body, headers } = answer.parse(Array.isArray(resolved) ? resolved[0] : resolved);
  const header = (name: string) => String(headers[`x-consul-${name}`] ?? '');
  return {
    ...{ status: statusCode, body },
    index: /^\d{1,20}$/.test(header('index')) ? BigInt(header('index')) : undefined,
    leaderKnown: header('knownleader') !== 'false',
    lastContact: Number(header('lastcontact')) || 0,
    filtered: header('results-filtered-by-acls') === 'true',
  };
}

/** Consul adds up to a sixteenth to the wait, so that queries do not all end at once. */
function readOptions(mode: ReadMode | undefined, timeout: number) {
  if (mode === undefined) return { timeout };
  if (mode.kind !== 'blocking') return { [mode.kind]: true, timeout };
  const { index, wait } = mode;
  const longest = Math.ceil(wait + wait / 16) + timeout;
  return { stale: true, index: String(index), wait: `${Math.ceil(wait)}ms`, timeout: longest };
}

/**
 * The interval at which the kernel probes an idle connection, in ms. It gives up after ten unanswered probes, one
 * second apart: a silently broken connection fails within some 20 s, however long its query may wait. Node's default
 * of one second would be 500 packets a second for 500 connections.
 */
const PROBE_INTERVAL = 10_000;

/**
 * The agent has the address, and its options override those of a request: the package would look up `[::1]` with its
 * brackets as a name, and does not declare TLS files and socket paths.
 */
function agentFor({ endpoint, tls }: Settings): http.Agent {
  const { host, socketPath, secure } = endpoint;
  const target = socketPath === undefined ? { host } : { socketPath };
  const options = { keepAlive: true, keepAliveMsecs: PROBE_INTERVAL, ...target };
  return secure ? new https.Agent({ ...options, ...tls }) : new http.Agent(options);
}

/**
 * The decoders do nothing: the package's own `kv.get` throws an uncaught exception on a body like `[null]`, and
 * parse.ts checks bodies anyway.
 */
function packageClient({ endpoint }: Settings, agent: http.Agent): Consul {
  const { host, port, secure } = endpoint;
  const types = [
    'application/json',
    'text/json',
    'text/plain',
    'text/html',
    'application/x-www-form-urlencoded',
  ];
  const decoders = Object.fromEntries(types.map((type) => [type, (body: unknown) => body]));
  const options = { host: host.includes(':') ? `[${host}]` : host, port, secure, agent, decoders };
  return new Consul(options);
}
