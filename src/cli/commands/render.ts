/**
 * `egresstrator render`: prints the text that would be loaded, without loading it.
 */

import { UsageError } from '../../common/errors.ts';
import { type Config, type Flags, resolveConfig } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { readRules } from '../../daemon/apply-once.ts';
import { openConsul, openEngine, openTemplate, toolLogger } from '../../daemon/wiring.ts';
import { withFacts } from '../../features/egress/facts.ts';
import { dnsOf } from '../../features/egress/name-rules.ts';
import { Renderer } from '../../features/egress/renderer.ts';
import { chooseTargets } from '../../features/egress/targets.ts';
import { type EgressTemplate, needsUngranted } from '../../features/egress/template.ts';
import type { Container } from '../../inventory/container.ts';
import { type DnsPolicy, type Mode, parseKeyList } from '../../inventory/workload.ts';
import { createOutput } from '../output.ts';
import { withProgress } from '../progress.ts';

/** The text to render, and the container that it is for. */
interface Subject {
  readonly grants: readonly string[];
  readonly mode: Mode;
  readonly dns: DnsPolicy;
  readonly keepsResolvers?: true | undefined;
  /** The container and its DNS resolvers, if the text is for one. */
  readonly place: { readonly target: Container; readonly resolvers: readonly string[] } | undefined;
}

export async function render(name: string | undefined, flags: Flags, terminal: Terminal): Promise<void> {
  const config = resolveConfig(flags, terminal.environment);
  const output = createOutput(terminal, flags.json === true);
  const template = openTemplate(config);
  const { subject, text, fingerprint, problems } = await withProgress('Reading rules', terminal, async () => {
    const subject = await chooseSubject(name, flags.acl, config, terminal);
    return { subject, ...(await renderSubject(subject, template, config)) };
  });
  for (const { key, line, reason } of problems)
    output.note(`${key ?? ''}${line ? ` line ${line}` : ''}: ${reason}`);
  output.text(text, { ...describe(subject), fingerprint, text, problems });
}

async function chooseSubject(
  name: string | undefined,
  acl: unknown,
  config: Config,
  terminal: Terminal,
): Promise<Subject> {
  if (typeof acl === 'string' && name === undefined) {
    return { grants: parseKeyList(acl), mode: config.mode, dns: 'resolvers', place: undefined };
  }
  if (name === undefined || acl !== undefined)
    throw new UsageError('give either a container or --acl key1,key2');
  const engine = await openEngine(config, terminal, toolLogger(terminal));
  try {
    const selection = { choice: { name }, grants: undefined, mode: config.mode };
    const {
      namespaces: [namespace],
    } = chooseTargets(await engine.containers.list(), selection);
    if (namespace === undefined) throw new UsageError(`there are no rules for ${name}`);
    const { target, grants, mode, dns, keepsResolvers } = namespace;
    return {
      grants,
      mode,
      dns,
      keepsResolvers,
      place: { target, resolvers: await engine.containers.resolvers(target) },
    };
  } finally {
    await engine.close();
  }
}

async function renderSubject(
  { grants, mode, dns, keepsResolvers, place }: Subject,
  template: EgressTemplate,
  config: Config,
) {
  const consul = openConsul(config);
  try {
    const rulesFor = await readRules(consul, config.protectedHosts, needsUngranted(template), [grants]);
    const want = rulesFor(grants);
    const resolvers = place?.resolvers ?? [];
    const settings = { dns, ...(keepsResolvers && { keepsResolvers }) };
    const rendition = {
      mode,
      dns: dnsOf(settings, want.policy, { template, unavailable: undefined }),
      resolvers,
    };
    const { text, fingerprint } = new Renderer(template).render({ ...want, ...rendition });
    const facts = { resolvers, attachments: place?.target.attachments ?? [] };
    const { problems } = want.policy;
    return { fingerprint, problems, text: place === undefined ? text : withFacts(text, facts) };
  } finally {
    consul.close();
  }
}

const describe = ({ grants, mode, dns, place }: Subject) => ({
  grants,
  mode,
  dns,
  container: place?.target.name,
});
