/**
 * The one importer of the `consul` package: sends single requests over one keep-alive agent and
 * returns Consul's answer with its metadata, undecoded, or throws a `ConsulError`.
 *
 * The package gets decoders that do nothing: its own `kv.get` dies with an uncaught exception on a body
 * like `[null]`, and bodies are checked in parse.ts anyway.
 */
import { EventEmitter } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import Consul from 'consul';
import { type ServiceRef, serviceName } from '../../inventory/service.ts';
import { explain } from './errors.ts';
import type { Settings } from './options.ts';
import { accepting, asPapi, failOnBrokenAnswers, type Papi } from './papi.ts';
import { type Reply, replyOf } from './reply-limit.ts';
import { currentToken } from './token.ts';

/**
 * `consistent`: at once, from a leader that has just made sure that it leads. `stale`: at once, from any
 * server, which may be behind. `blocking`: when something moved beyond `index`, or after `wait` ms; any
 * server may answer, however stale.
 */
export type How =
  | { readonly kind: 'consistent' | 'stale' }
  | { readonly kind: 'blocking'; readonly index: bigint; readonly wait: number };

/** What services are made of in Consul's catalog, each with an index of its own. */
export type Table = 'services' | 'nodes' | 'checks';

/** What Consul's ACLs guard, in the words of its authorize endpoint. */
export interface Right {
  readonly resource: 'key' | 'service' | 'node';
  readonly segment: string;
}

export class ConsulClient {
  readonly settings: Settings;
  readonly #agent: http.Agent;
  readonly #consul: Consul & Papi;

  constructor(settings: Settings) {
    this.settings = settings;
    this.#agent = agentFor(settings);
    this.#consul = asPapi(packageClient(settings, this.#agent));
    failOnBrokenAnswers(this.#consul, settings.endpoint.secure);
  }

  /** The whole folder of the rules. */
  listRules(how: How, signal: AbortSignal): Promise<Reply> {
    const { kvPath, datacenter } = this.settings;
    return this.#send(kvPath, datacenter, how, signal, (common) =>
      this.#consul.kv.get({ ...common, key: kvPath, recurse: true }),
    );
  }

  listService(ref: ServiceRef, how: How, signal: AbortSignal): Promise<Reply> {
    const datacenter = ref.datacenter ?? this.settings.datacenter;
    return this.#send(`service ${serviceName(ref)}`, datacenter, how, signal, (common) => {
      const options = { ...common, service: ref.service };
      return this.settings.health === 'passing'
        ? this.#consul.health.service({ ...options, passing: true })
        : this.#consul.catalog.service.nodes(options);
    });
  }

  /** Its index tells whether anything moved; of nodes and checks none is listed, as no node has no name. */
  listTable(table: Table, datacenter: string | undefined, how: How, signal: AbortSignal): Promise<Reply> {
    const filter = 'Node == ""';
    const { catalog, health } = this.#consul;
    const calls: Readonly<Record<Table, (common: CommonOptions) => Promise<unknown>>> = {
      services: (common) => catalog.service.list(common),
      nodes: (common) => catalog.node.list({ ...common, filter }),
      checks: (common) => health.state({ ...common, filter, state: 'any' }),
    };
    return this.#send(`the table of ${table}`, datacenter, how, signal, calls[table]);
  }

  /** May the token read these? At most 64 of them. Status 401: ACLs are off; 404: Consul before 1.7. */
  authorize(rights: readonly Right[], datacenter: string | undefined, signal: AbortSignal): Promise<Reply> {
    const body = rights.map(({ resource, segment }) => ({
      Resource: resource,
      Access: 'read',
      Segment: segment,
    }));
    const query = datacenter === undefined ? {} : { dc: datacenter };
    const how: How = { kind: 'consistent' };
    return this.#send('the permissions of the token', datacenter, how, signal, ({ ctx, timeout, token }) => {
      const headers = token === undefined ? {} : { 'x-consul-token': token };
      const post = { path: '/internal/acl/authorize', body, query, headers, ctx, timeout };
      return this.#consul._post(post, accepting(401, 404, 405));
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  async #send(
    what: string,
    datacenter: string | undefined,
    how: How,
    signal: AbortSignal,
    call: (common: CommonOptions) => Promise<unknown>,
  ): Promise<Reply> {
    const { endpoint } = this.settings;
    let token: string | undefined;
    try {
      token = await currentToken(this.settings);
      const common = {
        ...optionsOf(how, this.settings.timeout),
        ...(token && { token }),
        ...(datacenter && { dc: datacenter }),
      };
      return replyOf(await cancellable(signal, (ctx) => call({ ...common, ctx })));
    } catch (error) {
      signal.throwIfAborted();
      throw explain(error, { endpoint, what, datacenter, token });
    }
  }
}

interface CommonOptions {
  readonly token?: string;
  readonly dc?: string;
  readonly timeout: number;
  readonly ctx: EventEmitter;
}

/** Consul adds up to a sixteenth to the wait, so that not all queries end at once. */
function optionsOf(how: How, timeout: number) {
  if (how.kind !== 'blocking') return { [how.kind]: true, timeout };
  const { index, wait } = how;
  return {
    stale: true,
    index: String(index),
    wait: `${wait}ms`,
    timeout: Math.ceil(wait + wait / 16) + timeout,
  };
}

/** The package cancels a request when its `ctx` says so, and tells the response to who asks in `ctx`. */
async function cancellable(
  signal: AbortSignal,
  call: (ctx: EventEmitter) => Promise<unknown>,
): Promise<unknown> {
  signal.throwIfAborted();
  const ctx = Object.assign(new EventEmitter(), { includeResponse: true });
  const cancel = () => ctx.emit('cancel');
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await call(ctx);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

/**
 * An idle connection is probed by the kernel this often, in ms, and given up after ten probes, a second
 * apart, that nobody answers: one that was cut in silence fails within some 20 s, however long its query
 * may hang. Node's default, each second, would be 500 packets a second for 500 connections.
 */
const probeEvery = 10_000;

/**
 * Where to connect stands in the agent, whose options win over the request's: the package would
 * look up `[::1]` with its brackets as a name, and does not declare TLS files and socket paths.
 */
function agentFor({ endpoint, tls }: Settings): http.Agent {
  const { host, socketPath, secure } = endpoint;
  const options = {
    keepAlive: true,
    keepAliveMsecs: probeEvery,
    ...(socketPath === undefined ? { host } : { socketPath }),
  };
  return secure ? new https.Agent({ ...options, ...tls }) : new http.Agent(options);
}

function packageClient({ endpoint }: Settings, agent: http.Agent): Consul {
  const { host, port, secure } = endpoint;
  const undecoded = (body: unknown): unknown => body;
  const types = [
    'application/json',
    'text/json',
    'text/plain',
    'text/html',
    'application/x-www-form-urlencoded',
  ];
  const options = {
    ...{ host: host.includes(':') ? `[${host}]` : host, port, secure, agent },
    decoders: Object.fromEntries(types.map((type) => [type, undecoded])),
  };
  return new Consul(options);
}
