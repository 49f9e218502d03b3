/**
 * Whether rules by name count in a namespace, and what that makes of its DNS.
 */
import type { Problem } from '../../common/problem.ts';
import type { DnsPolicy } from '../../inventory/workload.ts';
import type { CompiledPolicy } from '../../policy/compile.ts';
import { deniedNames } from '../../policy/compile-names.ts';
import type { EgressTemplate } from './template.ts';
import type { WorkloadNamespace } from './workload-namespaces.ts';

type Settings = Pick<WorkloadNamespace, 'dns' | 'keepsResolvers' | 'isUncertain'>;

/** What rules by name depend on, apart from the namespace. */
export interface NameSupport {
  readonly template: EgressTemplate;
  /** Why this host has none; undefined: it has. */
  readonly unavailable: string | undefined;
}

/** Of a program that serves no names. */
export const NAMES_NOT_IN_USE = 'rules by name are not in use here';

/** `names` where a key has a rule by name, unless a runner chose something else, and only where that works. */
export function dnsOf(settings: Settings, { names }: CompiledPolicy, support: NameSupport): DnsPolicy {
  if (!wantsNames(settings, names.lines.length > 0 || names.isSuspended === true)) return settings.dns;
  if (settings.isUncertain) return 'none';
  if (whyNoNames(support) === undefined) return 'names';
  // Only who has chosen `names` gets no DNS instead.
  return settings.dns === 'names' ? 'none' : settings.dns;
}

/** Of rules by name that grant nothing, and of a choice that does not work. */
export function nameProblems(
  settings: Settings,
  { names }: CompiledPolicy,
  support: NameSupport,
): readonly Problem[] {
  const reason = wantsNames(settings, true) ? whyNone(settings, support) : whyNotChosen(settings);
  if (reason === undefined) return [];
  return [...deniedNames(names, reason), ...(settings.dns === 'names' ? [noDns(reason)] : [])];
}

const wantsNames = ({ dns, keepsResolvers }: Settings, hasNames: boolean): boolean =>
  dns === 'names' || (dns === 'resolvers' && hasNames && keepsResolvers !== true);

const whyNotChosen = ({ dns }: Settings): string =>
  `rules by name need EGRESSTRATOR_DNS=names, and the container has ${dns}`;

/** Two that answer in one namespace would take the rules and the grants from each other, again and again. */
const UNCERTAIN =
  'a container that others joined has ended, and it is not known which of them share a network until they start again';

const whyNone = ({ isUncertain }: Settings, support: NameSupport): string | undefined =>
  whyNoNames(support) ?? (isUncertain && UNCERTAIN);

const whyNoNames = ({ template, unavailable }: NameSupport): string | undefined =>
  template.mentions.has('names.classes') ? unavailable : `the template ${template.name} has no rules by name`;

const noDns = (reason: string): Problem => ({
  severity: 'error',
  text: 'EGRESSTRATOR_DNS=names',
  reason: `${reason}, so there is no DNS; choose resolvers instead`,
});
