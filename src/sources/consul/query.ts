/**
 * What can be asked of Consul, the folder of the rules or one service, with answers that are parsed
 * and known to be whole.
 *
 * ACLs make a whole answer hard to tell: Consul 1.8 answers a token without rights with an empty list
 * and no sign of it (tried: 404 for a KV folder, `[]` for a service), later ones set a header. So a
 * question can also check, with Consul's authorize endpoint, that the token may read what is missing.
 */
import type { Instance, ServiceRef } from '../../inventory/service.ts';
import { serviceName } from '../../inventory/service.ts';
import type { ConsulClient, How, Right, Table } from './client.ts';
import { refusal, type Subject } from './errors.ts';
import { named } from './names.ts';
import { type Parsed, parseAccess, parseCatalog, parseHealth, parseRules, type Rules } from './parse.ts';
import type { Reply } from './reply-limit.ts';
import { unlessUnchanged } from './unchanged.ts';

/** One answer, with what Consul said about its worth. */
export interface Answer<T> extends Parsed<T> {
  readonly index: bigint;
  readonly leaderKnown: boolean;
  readonly lastContact: number;
}

export interface Question<T> {
  /** For messages: `the rules below egress/acl/`, `service postgresql@dc2`. */
  readonly name: string;
  /** For messages: what makes an empty answer believable after Consul has lost its history. */
  readonly confirmation: string;
  ask(how: How, signal: AbortSignal): Promise<Answer<T>>;
  /**
   * Fails if the token may not read what `answer` lacks: things that were listed before (`missing`),
   * or, where nothing is listed at all, the whole.
   */
  checkRights(answer: Answer<T>, missing: readonly string[], signal: AbortSignal): Promise<void>;
}

/** Consul takes no more than 64 in one call (read in its source). */
const mostRights = 64;

export function rulesQuestion(client: ConsulClient): Question<Rules> {
  const { kvPath, datacenter } = client.settings;
  const subject = subjectOf(client, `the rules below ${kvPath}`, datacenter);
  const parse = unlessUnchanged((body) => parseRules(body, kvPath));
  return {
    name: subject.what,
    confirmation: `write any key below it, if only with \`consul kv put ${kvPath}\``,
    ask: async (how, signal) => {
      const reply = await client.listRules(how, signal);
      // 404 is how Consul says that there is no such folder.
      const body = reply.status === 404 ? Buffer.from('[]') : reply.body;
      return answerOf(reply, subject, () => parse(body));
    },
    checkRights: (_answer, missing, signal) => {
      const keys = [kvPath, ...missing.filter((key) => key !== kvPath)];
      const rights = keys.map((segment): Right => ({ resource: 'key', segment }));
      return requireRights(client, subject, rights, signal);
    },
  };
}

export function serviceQuestion(client: ConsulClient, ref: ServiceRef): Question<readonly Instance[]> {
  const name = serviceName(ref);
  const subject = subjectOf(client, `service ${name}`, ref.datacenter ?? client.settings.datacenter);
  const read = client.settings.health === 'passing' ? parseHealth : parseCatalog;
  const parse = unlessUnchanged((body) => read(body, name));
  return {
    name: subject.what,
    confirmation: 'register an instance of it, which may be deregistered again',
    ask: async (how, signal) => {
      const reply = await client.listService(ref, how, signal);
      return answerOf(reply, subject, () => parse(reply.body));
    },
    checkRights: async (answer, missing, signal) => {
      if (answer.listed.size > 0 && missing.length === 0) return;
      const nodes = missing.map((segment): Right => ({ resource: 'node', segment }));
      await requireRights(client, subject, [{ resource: 'service', segment: ref.service }, ...nodes], signal);
    },
  };
}

/** Whether anything moved in a table; the value is its index. What ACLs hide moves it all the same. */
export function tableQuestion(
  client: ConsulClient,
  table: Table,
  datacenter = client.settings.datacenter,
): Question<bigint> {
  const subject = subjectOf(client, `the table of ${table}`, datacenter);
  return {
    name: subject.what,
    confirmation: 'register any service',
    ask: async (how, signal) => {
      const reply = await client.listTable(table, datacenter, how, signal);
      const value = reply.index ?? 0n;
      const moved = () => ({ value, digest: `${value}`, listed: new Set<string>() });
      return answerOf({ ...reply, filtered: false }, subject, moved);
    },
    checkRights: async () => {},
  };
}

const subjectOf = (client: ConsulClient, what: string, datacenter: string | undefined): Subject => ({
  ...{ endpoint: client.settings.endpoint, what, datacenter },
  token: undefined,
});

function answerOf<T>(reply: Reply, subject: Subject, parse: () => Parsed<T>): Answer<T> {
  const { index, leaderKnown, lastContact, filtered } = reply;
  if (filtered) {
    throw refusal(subject, {
      says: `hides a part of ${subject.what} from the token`,
      remedy: 'allow the token to read all of it (key_prefix, service_prefix and node_prefix "read")',
    });
  }
  if (index === undefined) {
    throw refusal(subject, {
      says: `answered for ${subject.what} without X-Consul-Index, so the answer is not from Consul`,
      remedy: `check ${named.address}, and proxies in between`,
    });
  }
  return { ...parse(), index, leaderKnown, lastContact };
}

async function requireRights(
  client: ConsulClient,
  subject: Subject,
  rights: readonly Right[],
  signal: AbortSignal,
): Promise<void> {
  const reply = await client.authorize(rights.slice(0, mostRights), subject.datacenter, signal);
  // ACLs are off, or this Consul cannot tell: there is nothing more to be known.
  if (reply.status !== 200) return;
  const denied = parseAccess(reply.body).find(({ Allow }) => !Allow);
  if (denied === undefined) return;
  const resource = `${denied.Resource}_prefix`;
  throw refusal(subject, {
    says: `forbids the token to read ${denied.Resource} ${denied.Segment}, which ${subject.what} needs`,
    remedy: `set a token in ${named.token} whose policy has \`${resource} ${JSON.stringify(denied.Segment)} { policy = "read" }\``,
  });
}
