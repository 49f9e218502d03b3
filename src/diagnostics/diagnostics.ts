/**
 * The questions about a host, and their answers: the same code in a controller, which uses the data that it watches,
 * and in a command without one, which reads Consul and the Engine first. Answers are plain data.
 */

import { UserError } from '../common/errors.ts';
import { inSlices } from '../common/slices.ts';
import type { HostRuleSet } from '../features/host/model.ts';
import type { IngressView } from '../features/ingress/view.ts';
import type { DeniedReport } from '../inventory/denied-record.ts';
import type { ServiceRef } from '../inventory/service.ts';
import { servicesOf } from '../policy/compile.ts';
import { parsingRules } from '../policy/rule.ts';
import type { Rendered } from '../rendering/fingerprint.ts';
import { type DeniedAnswer, deniedAnswer } from './denied-answer.ts';
import { type DeniedCallsReport, type DeniedInAnswer, deniedInAnswer } from './denied-in.ts';
import { type Diff, diffKey } from './diff.ts';
import { type ExplainAnswer, type ExplainQuestion, explainAnswer } from './explain-answer.ts';
import { callingService, explainCallers } from './explain-callers.ts';
import { type ExplainInAnswer, type ExplainInQuestion, explainIn } from './explain-in.ts';
import type { Finding } from './finding.ts';
import { type HostAnswer, type HostView, hostAnswer } from './host-view.ts';
import { type IngressSnapshot, ingressKeys } from './ingress-snapshot.ts';
import { type KeysView, type KeyUse, keyUses } from './keys.ts';
import { lint } from './lint.ts';
import { lintHost } from './lint-host.ts';
import { lintIngress } from './lint-ingress.ts';
import { workloadsOf } from './namespace-view.ts';
import type { Scope } from './read-services.ts';
import { parseService } from './service-names.ts';
import type { Snapshot } from './snapshot.ts';
import { createIndexCache } from './suggest.ts';
import { type SuggestAnswer, suggestAnswer } from './suggest-answer.ts';
import { type SuggestInAnswer, suggestInAnswer } from './suggest-in.ts';

export interface Diagnostics {
  explain(question: ExplainQuestion): Promise<ExplainAnswer>;
  denied(question: DeniedQuestion): Promise<DeniedAnswer>;
  suggest(question: SuggestQuestion): Promise<SuggestAnswer>;
  lint(question: LintQuestion): Promise<LintAnswer>;
  diff(question: DiffQuestion): Promise<DiffAnswer>;
  keys(question: KeysQuestion): Promise<KeysAnswer>;
  host(): Promise<HostAnswer>;
  /** The text that is loaded on the host, or will be in a moment. */
  hostRules(): Promise<Rendered>;
  /** Calls to containers that the guard denied. */
  deniedIn(question: DeniedQuestion): Promise<DeniedInAnswer>;
  /** Lines that would let in callers that ingress rules denied. */
  suggestIn(question: SuggestQuestion): Promise<SuggestInAnswer>;
  /** Whether a caller reaches a port of a container. */
  explainIn(question: ExplainInQuestion): Promise<ExplainInAnswer>;
}

/** Undefined: all containers. */
export interface DeniedQuestion {
  readonly container?: string | undefined;
}

export interface SuggestQuestion extends DeniedQuestion {
  /** The key whose whole new text is requested. */
  readonly key?: string | undefined;
}

/** Without a key: all keys. */
export interface LintQuestion {
  readonly key?: string | undefined;
  /** Ingress keys only. Default: ACL keys; without `key`, both. */
  readonly direction?: 'ingress' | undefined;
}

export interface LintAnswer {
  readonly findings: readonly Finding[];
  /** Services that were not read, because there are too many. */
  readonly unread: readonly string[];
}

export interface DiffQuestion {
  readonly key: string;
  /** Its new text. */
  readonly text: string;
  /** It is an ingress key. */
  readonly direction?: 'ingress' | undefined;
}

export interface DiffAnswer extends Diff {
  readonly denylist: boolean;
  /** Services that could not be read. */
  readonly unread: readonly string[];
}

export interface KeysQuestion {
  /** Ingress keys in place of ACL keys. */
  readonly direction?: 'ingress' | undefined;
}

export interface KeysAnswer {
  readonly keys: readonly KeyUse[];
  /** Services that could not be read. */
  readonly unread: readonly string[];
}

/** The data that an answer needs. */
export interface Need {
  readonly scope: Scope;
  /** Services that the question names. */
  readonly also?: readonly ServiceRef[];
  /** The container whose resolvers are needed. */
  readonly container?: string;
  /** The ingress keys too: only if a container names some, or always. */
  readonly ingress?: 'ifNamed' | 'always';
  /** An answer is possible without knowing the containers. */
  readonly withoutContainers?: boolean;
}

export interface DiagnosticsSource {
  snapshot(need: Need): Promise<Snapshot>;
  /** The denied destinations. Throws a `UserError` if `container` matches none or several. */
  denied(container: string | undefined): Promise<readonly DeniedReport[]>;
  /** Throws a `UserError` without a controller: it alone knows them. */
  host(): Promise<HostView>;
  /** The same for questions about calls: without a controller, only the containers are known. */
  hostOfCalls(): Promise<HostView>;
  /** Who may reach containers that name ingress keys. */
  ingress(): Promise<readonly IngressView[]>;
  /** Calls that the guard or ingress rules denied. */
  deniedCalls(): Promise<DeniedCallsReport>;
}

export function createDiagnostics(facts: DiagnosticsSource): Diagnostics {
  const indexOf = createIndexCache();
  return {
    explain: async (question) => {
      const service = parseService(question.target);
      const also = service === undefined ? [] : [service];
      const snapshot = await facts.snapshot({ scope: 'all', also, container: question.container });
      return explainAnswer(question, snapshot, () => indexOf(snapshot));
    },
    denied: async ({ container }) => {
      // Denied destinations are listed even without Consul.
      const known = facts.snapshot({ scope: 'all' }).catch(() => undefined);
      const [reports, snapshot] = await Promise.all([reportsOf(container, facts), known]);
      return deniedAnswer(reports, snapshot, snapshot && indexOf(snapshot));
    },
    suggest: async ({ container, key }) => {
      const known = facts.snapshot({ scope: 'all' });
      const [reports, snapshot] = await Promise.all([reportsOf(container, facts), known]);
      return suggestAnswer(key, reports, snapshot, indexOf(snapshot));
    },
    lint: async (question) =>
      lintAnswer(
        question,
        await facts.snapshot({
          ...{ scope: 'named', withoutContainers: true },
          ingress: question.direction === 'ingress' ? 'always' : 'ifNamed',
        }),
      ),
    diff: async ({ key, text, direction }) => {
      const proposed = { key, text, ...(await inSlices(parsingRules(key, text, direction))) };
      const also = servicesOf([proposed]);
      const snapshot = await facts.snapshot({ scope: 'named', also, ...ingressIf(direction) });
      const { denylist, unread } = snapshot;
      const known = keysOf(snapshot, direction);
      const diff = await inSlices(diffKey(proposed, { ...known, workloads: known.workloads ?? [] }));
      return {
        ...diff,
        denylist: denylist && direction === undefined,
        unread: [...unread.keys()].sort(),
      };
    },
    host: async () => hostAnswer(await facts.host()),
    hostRules: async () => known(await facts.host()).rendered,
    deniedIn: async ({ container }) =>
      deniedInAnswer(container, await facts.hostOfCalls(), await facts.deniedCalls(), await facts.ingress()),
    suggestIn: async ({ container, key }) => {
      const [report, ingress] = [await facts.deniedCalls(), await facts.ingress()];
      const denied = deniedInAnswer(container, await facts.hostOfCalls(), report, ingress);
      const snapshot = await facts.snapshot({
        scope: 'all',
        ingress: key === undefined ? 'ifNamed' : 'always',
      });
      return suggestInAnswer(key, denied, ingress, snapshot);
    },
    explainIn: async (question) => {
      const [view, ingress] = [await facts.hostOfCalls(), await facts.ingress()];
      const isIngressAlone = view.unknown !== undefined || (view.state === 'off' && ingress.length > 0);
      const rules = isIngressAlone ? NO_HOST_RULES : known(view).rules;
      const explain = (source: string) => explainIn({ ...question, source }, view, rules, ingress);
      const service = callingService(question.source);
      if (service === undefined) return explain(question.source);
      const snapshot = await facts.snapshot({ scope: 'named', also: [service], ingress: 'ifNamed' });
      return explainCallers(question, service, snapshot, explain);
    },
    keys: async ({ direction }) => {
      const need = { scope: 'named', withoutContainers: true, ...ingressIf(direction) } as const;
      const snapshot = await facts.snapshot(need);
      return {
        keys: keyUses(keysOf(snapshot, direction), direction),
        unread: [...snapshot.unread.keys()].sort(),
      };
    },
  };
}

/** Of a host that guards no port and forwards none. */
const NO_HOST_RULES: HostRuleSet = {
  ...{ bridges: [], guard: undefined, openings: [], proxied: [], forwards: [], permits: [] },
};

/** Throws a `UserError` if the host has no rules, or they are not known yet. */
function known({ rules, rendered, state }: HostView) {
  if (state === 'off')
    throw new UserError(
      'the controller guards no ports, forwards none and has no networks.json; start it with --ports, --forwards or --networks',
    );
  if (rules === undefined || rendered === undefined)
    throw new UserError('the rules of the host are not known yet (egresstrator host status); try again');
  return { rules, rendered };
}

/** Throws a `UserError` for a container without rules, which cannot have denied destinations. */
async function reportsOf(
  container: string | undefined,
  facts: DiagnosticsSource,
): Promise<readonly DeniedReport[]> {
  const reports = await facts.denied(container);
  if (container === undefined || reports.length > 0) return reports;
  throw new UserError(
    `${container} has no rules, so nothing is denied: it runs without EGRESSTRATOR_ENABLE=1, or its rules are not loaded yet (egresstrator status)`,
  );
}

const ingressIf = (direction: 'ingress' | undefined): Pick<Need, 'ingress'> =>
  direction === 'ingress' ? { ingress: 'always' } : {};

/** The keys of one direction, with the workloads that name them. */
const keysOf = (snapshot: Snapshot, direction: 'ingress' | undefined): KeysView => {
  const { acl, catalog, protectedHosts } = snapshot;
  return direction === 'ingress'
    ? ingressKeys(knownIngress(snapshot), catalog)
    : { acl, catalog, protectedHosts, workloads: workloadsOf(snapshot) };
};

function knownIngress({ ingress }: Snapshot): IngressSnapshot {
  if (ingress === undefined) throw new UserError('the ingress keys are not known yet; try again');
  return ingress;
}

function lintAnswer({ key, direction }: LintQuestion, snapshot: Snapshot): LintAnswer {
  const { acl, kvPath, ingressPath, namespaces = [], notEnabled } = snapshot;
  const ingress = direction === 'ingress' ? knownIngress(snapshot) : snapshot.ingress;
  const keys = direction === 'ingress' ? ingress?.acl : acl;
  if (key !== undefined && !keys?.has(key))
    throw new UserError(
      direction === 'ingress'
        ? `Consul has no ingress key "${key}" below ${ingressPath}`
        : `Consul has no ACL key "${key}" below ${kvPath}`,
    );
  const failures = new Map<string, string>();
  const unread: string[] = [];
  for (const [name, why] of snapshot.unread)
    if (why === undefined) unread.push(name);
    else failures.set(name, why);
  const ofIngress = ingress ? lintIngress(ingress, { catalog: snapshot.catalog, failures }) : [];
  if (direction === 'ingress') return { findings: ofKey(key, ofIngress), unread };
  const findings = lint({
    ...snapshot,
    withForeignRules: namespaces.filter((one) => one.hasForeignRules).map(({ target }) => target),
    notEnabled,
    failures,
    workloads: workloadsOf(snapshot),
  });
  if (key !== undefined) return { findings: ofKey(key, findings), unread };
  return { findings: [...findings, ...ofIngress, ...(snapshot.host ? lintHost(snapshot.host) : [])], unread };
}

const ofKey = (key: string | undefined, findings: readonly Finding[]): readonly Finding[] =>
  key === undefined ? findings : findings.filter((one) => one.key === key);
