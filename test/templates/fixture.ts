/**
 * Three namespaces on one link: one that gets rules, one that the rules may allow, and one that they
 * deny. All packets of the tests go between them.
 */
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { createNamespaces, type Namespace, type RunResult } from '../../lab/netns.ts';
import { parseDenied } from '../../src/dataplane/denied.ts';
import type { RenderInput } from '../../src/features/egress/context.ts';
import { type Facts, withFacts } from '../../src/features/egress/facts.ts';
import type { EgressTemplate } from '../../src/features/egress/template.ts';
import type { DeniedRecord } from '../../src/inventory/denied-record.ts';
import { type Agent, startAgent } from './agents.ts';
import { renderWith } from './rules.ts';

export interface Fixture extends AsyncDisposable {
  readonly workload: Namespace;
  readonly granted: Namespace;
  readonly denied: Namespace;
  /** The agents inside, by the same names. */
  readonly agents: { readonly workload: Agent; readonly granted: Agent; readonly denied: Agent };
}

/** Served in all three. */
export const PORT = 8080;

/** Opens the fixture for the tests of one file, and removes it after them. */
export async function useFixture(): Promise<Fixture> {
  const fixture = await createFixture();
  afterAll(() => fixture[Symbol.asyncDispose]());
  return fixture;
}

async function createFixture(): Promise<Fixture> {
  const set = await createNamespaces(3);
  const [workload, granted, denied] = set.namespaces;
  if (workload === undefined || granted === undefined || denied === undefined) throw new Error('too few');
  const agents = { workload: startAgent(workload), granted: startAgent(granted), denied: startAgent(denied) };
  await Promise.all(Object.values(agents).map((agent) => agent.serve(PORT)));
  return {
    workload,
    granted,
    denied,
    agents,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(Object.values(agents).map((agent) => agent[Symbol.asyncDispose]()));
      await set.dispose();
    },
  };
}

export const PROGRAM = fileURLToPath(new URL('../../dataplane/netns', import.meta.url));
export const PACKETS = fileURLToPath(new URL('packets.pl', import.meta.url));

export const NO_FACTS: Facts = { resolvers: [], attachments: [] };

/** A command of the program that loads, as `load egress`; it never throws. */
export const netns = (namespace: Namespace, command: string, input?: string): Promise<RunResult> =>
  namespace.run('sh', [PROGRAM, ...command.split(' ').filter((word) => word !== '')], {
    reject: false,
    ...(input === undefined ? {} : { input }),
  });

/**
 * Renders and loads, and returns the state thereafter; a text that does not load, or not without
 * complaint, fails the test.
 */
export async function load(
  namespace: Namespace,
  template: string | EgressTemplate,
  input: Partial<RenderInput> = {},
  facts: Facts = NO_FACTS,
): Promise<string> {
  const { exitCode, stdout, stderr } = await netns(
    namespace,
    'load egress',
    withFacts(renderWith(template, input).text, facts),
  );
  // That the tables of the other kind exist is no complaint.
  const complaint = stderr.replace(/^# Warning: .*-legacy tables present.*$/gm, '').trim();
  if (exitCode !== 0 || complaint !== '') throw new Error(`not loaded: ${exitCode} ${stderr}`);
  const state = (await netns(namespace, 'state egress')).stdout;
  if (state !== stdout) throw new Error(`loaded ${stdout}, and there is ${state}`);
  return state;
}

/** A verb of `packets.pl`, and what it says. */
export const packet = async (namespace: Namespace, ...words: readonly string[]): Promise<string> =>
  (await namespace.run('perl', [PACKETS, ...words])).stdout;

/** What `netns denied` tells. */
export async function denied(namespace: Namespace): Promise<DeniedRecord> {
  const { exitCode, stdout, stderr } = await netns(namespace, 'denied egress');
  if (exitCode !== 0) throw new Error(`not told: ${exitCode} ${stderr}`);
  return parseDenied(stdout);
}

/** The destinations of it as `address protocol port: packets`, sorted. */
export async function destinations(namespace: Namespace): Promise<readonly string[]> {
  const { destinations: found } = await denied(namespace);
  return found
    .map(({ address, protocol, port, packets }) => `${address} ${protocol} ${port ?? '-'}: ${packets}`)
    .sort();
}
