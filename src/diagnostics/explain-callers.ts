/**
 * Explains whether a service reaches a port of a container: each of its instances is a caller of its own.
 */
import { UsageError, UserError } from '../common/errors.ts';
import { type Instance, serviceName } from '../inventory/service.ts';
import { formatPrefix, parseAddress } from '../net/address.ts';
import { commonMistake } from '../policy/common-mistakes.ts';
import type { ServiceRule } from '../policy/rule.ts';
import type { Destination } from './destination.ts';
import type { ExplainInAnswer, ExplainInQuestion } from './explain-in.ts';
import { callersIn } from './ingress-snapshot.ts';
import { parseService } from './service-names.ts';
import type { Snapshot } from './snapshot.ts';
import { instancesOf } from './target.ts';

/** Undefined: the caller is an address. Throws a `UsageError` for anything else. */
export function callingService(word: string): ServiceRule | undefined {
  if (parseAddress(word) !== undefined) return undefined;
  const rule = commonMistake(word) === undefined ? parseService(word) : undefined;
  if (rule !== undefined) return rule;
  throw new UsageError(
    `expected the address of a caller, as 198.51.100.7, or a service, as prometheus, got "${word}"`,
  );
}

/** `explain` answers for one address. Throws a `UserError` if no instance can send this traffic. */
export function explainCallers(
  question: ExplainInQuestion,
  rule: ServiceRule,
  { catalog, ingress }: Pick<Snapshot, 'catalog' | 'ingress'>,
  explain: (source: string) => ExplainInAnswer,
): ExplainInAnswer {
  const registered = addressesOf(instancesOf(rule, catalog));
  const all = addressesOf(instancesOf(rule, callersIn(catalog, ingress?.neighbours)));
  const callers = [...all]
    .filter(([source]) => canSend(source, question.traffic))
    .map(([source, node]) => {
      const { ways, passes } = explain(source);
      return { source, node, ways, passes };
    })
    // A container of this host may have addresses of a family that the other one has not.
    .filter(({ source, ways }) => ways.length > 0 || registered.has(source));
  const [first] = callers;
  if (first === undefined)
    throw new UserError(
      `no instance of ${serviceName(rule)} has an address that can send ${question.traffic}; write icmp/8 for IPv4 and icmpv6/128 for IPv6`,
    );
  const { container, traffic } = explain(first.source);
  const passes = callers.every((one) => one.passes);
  return { ...{ container, source: question.source, traffic, callers }, ways: [], passes };
}

/** Their addresses, each once, with the node. */
function addressesOf(instances: readonly (readonly [Instance, Destination])[]): ReadonlyMap<string, string> {
  const nodes = new Map<string, string>();
  for (const [{ node }, { host }] of instances) {
    const source = formatPrefix(host);
    if (!nodes.has(source)) nodes.set(source, node);
  }
  return nodes;
}

/** ICMP has a name for each family, as in rules by service. */
function canSend(source: string, traffic: string): boolean {
  const family = /^icmpv6/i.test(traffic) ? 6 : /^icmp/i.test(traffic) ? 4 : undefined;
  return family === undefined || parseAddress(source)?.family === family;
}
