/**
 * The job: makes one namespace hold what it should. It reads the record when it starts, so it always
 * works for the newest state of the world, and it writes only where something differs.
 */
import { LoadError, messageOf } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { waitUntil } from '../common/wait-until.ts';
import type { Dataplane, Loaded } from '../dataplane/dataplane.ts';
import type { KnownResolvers } from '../features/egress/dns-facts.ts';
import type { Gate } from '../features/egress/gate.ts';
import type { Renderer } from '../features/egress/renderer.ts';
import type { WorkloadNamespace } from '../features/egress/workload-namespaces.ts';
import { expectedFacts, type Facts, withFacts } from '../rendering/facts.ts';
import { verdictOn } from './load-memory.ts';
import {
  attachmentsOf,
  type Desired,
  NOTHING_LOADED,
  type ReconcileState,
  refOf,
} from './reconcile-state.ts';

export interface JobContext {
  readonly dataplane: Dataplane;
  /** What is known of its resolvers, without waiting for the workload; `gate`: what the gate has allowed. */
  readonly resolvers: (
    namespace: WorkloadNamespace,
    gate: readonly string[] | undefined,
  ) => Promise<KnownResolvers>;
  readonly gate?: Pick<Gate, 'loadedAtStart'> | undefined;
  readonly renderer: Renderer;
  readonly log: Logger;
  /** Called when rules in a kernel were found altered, with the container's name. */
  readonly onDrift?: (container: string) => void;
}

/** What a job did. `left`: rules of before stay in place until anything is known. */
export type Outcome = 'equal' | 'loaded' | 'cleared' | 'left';

export async function reconcile(record: ReconcileState, context: JobContext): Promise<Outcome> {
  const { desired, unseen } = record;
  record.unseen = false;
  const known = unseen ? undefined : record.loaded;
  if (desired.kind === 'nothing') return clear(record, known ?? (await look(record, context)), context);
  return load(record, desired, known ?? (await lookOrNot(record, desired, context)), context);
}

/** A look that fails does not hold up a load, which would replace whatever is there. */
async function lookOrNot(record: ReconcileState, want: RulesWanted, context: JobContext): Promise<Loaded> {
  try {
    return await look(record, context);
  } catch (error) {
    if (!want.isKnown || isGone(error)) throw error;
    const fields = { container: record.namespace.target.name, error: messageOf(error) };
    context.log.warn(fields, 'rules in the kernel could not be read; loading them again');
    return NOTHING_LOADED;
  }
}

const isGone = (error: unknown): boolean => error instanceof LoadError && error.gone;

type RulesWanted = Extract<Desired, { kind: 'rules' }>;

async function look(record: ReconcileState, context: JobContext): Promise<Loaded> {
  const begins = record.startedWith !== undefined && record.expected === undefined && record.failures === 0;
  return begins ? lookAtStart(record, context) : lookInKernel(record, context);
}

/** A namespace that is new holds nothing but what the gate has loaded, and the gate leaves a record. */
async function lookAtStart(record: ReconcileState, { gate }: JobContext): Promise<Loaded> {
  const asked = gate?.loadedAtStart(record.namespace.target) ?? Promise.resolve(undefined);
  const atStart = await waitUntil(GATE_LIMIT, asked, undefined);
  if (atStart === undefined) return NOTHING_LOADED;
  record.gateResolvers = atStart.resolvers;
  return { fingerprint: atStart.fingerprint, facts: GATE_FACTS, digest: undefined };
}

/** Milliseconds for the gate's record. Without it, rules are loaded over whatever the gate has loaded. */
const GATE_LIMIT = 500;

/**
 * What the kernel holds. What was altered there counts as nothing of ours, so that it is replaced. What may have been
 * altered before anybody looked (by the gate it is known by its fingerprint alone) is loaded anew.
 */
async function lookInKernel(
  record: ReconcileState,
  { dataplane, log, onDrift }: JobContext,
): Promise<Loaded> {
  const ref = refOf(record.namespace);
  const { loaded: found } = await dataplane.inspect(ref);
  const verdict = verdictOn(record.expected, found, record.isRemembered);
  if (verdict === 'unknown' && record.isRemembered)
    log.info(
      { container: ref.name },
      'rules in the kernel differ from the recorded load; loading them again',
    );
  record.rival = verdict === 'altered' ? rivalIn(record, found) : undefined;
  if (verdict !== 'altered') {
    record.isDoubtful ||= verdict === 'unknown';
    return found;
  }
  log.warn({ container: ref.name }, 'rules in the kernel were changed');
  onDrift?.(ref.name);
  return NOTHING_LOADED;
}

/** Somebody who alters single rules leaves our comment as it is, or none. */
const rivalIn = ({ expected }: ReconcileState, { fingerprint }: Loaded): string | undefined =>
  fingerprint === expected?.fingerprint ? undefined : fingerprint;

async function clear(record: ReconcileState, loaded: Loaded, { dataplane }: JobContext): Promise<Outcome> {
  const isEmpty = loaded.digest === undefined && loaded.fingerprint === undefined;
  if (!isEmpty) await dataplane.clear(refOf(record.namespace));
  keep(record, NOTHING_LOADED);
  record.isDoubtful = false;
  return isEmpty ? 'equal' : 'cleared';
}

async function load(
  record: ReconcileState,
  want: RulesWanted,
  loaded: Loaded,
  context: JobContext,
): Promise<Outcome> {
  // Where the rules are known nothing is waited for: what is missing of them could only add.
  if (!want.isKnown && loaded.fingerprint !== undefined) {
    keep(record, loaded);
    return 'left';
  }
  const { mode, dns, target } = record.namespace;
  const { addresses: resolvers, isGuess } = await context.resolvers(record.namespace, record.gateResolvers);
  record.resolvers = resolvers;
  const facts = { resolvers, attachments: target.attachments };
  const { text, fingerprint } = context.renderer.render({ ...want, mode, dns, resolvers });
  const isAsWanted =
    loaded.fingerprint === fingerprint &&
    (isFirstGuess(record, isGuess) || hasFacts(record, loaded, text, facts));
  if (isAsWanted && !record.isDoubtful) {
    keep(record, loaded);
    return 'equal';
  }
  const now = await put(record, loaded, withFacts(text, facts), context);
  if (now.fingerprint !== fingerprint) throw notWhatWasLoaded(target.name, fingerprint, now);
  keep(record, now);
  record.isDoubtful = false;
  record.isOurs = true;
  return 'loaded';
}

/** Rules that are replaced take with them what they had denied. */
async function put(
  { namespace }: ReconcileState,
  loaded: Loaded,
  text: string,
  { dataplane }: JobContext,
): Promise<Loaded> {
  const ref = refOf(namespace);
  if (loaded.fingerprint === undefined) return dataplane.load(ref, text);
  return (await dataplane.reload(ref, text)).loaded;
}

/** The reserved digest with which the gate loads: it cannot know the attachments as the Engine tells them. */
const GATE_FACTS = '0x00000001';

/** True if what is loaded holds these facts; for the gate's text, if they are still those of the start. */
function hasFacts(record: ReconcileState, loaded: Loaded, text: string, facts: Facts): boolean {
  if (loaded.facts !== GATE_FACTS) return loaded.facts === expectedFacts(text, facts);
  const { gateResolvers, startedWith } = record;
  if (gateResolvers === undefined || startedWith !== attachmentsOf(record.namespace)) return false;
  // The gate reads them from a file that root inside may have written to before a restart.
  return new Set(gateResolvers).symmetricDifference(new Set(facts.resolvers)).size === 0;
}

function keep(record: ReconcileState, loaded: Loaded): void {
  record.loaded = loaded;
  record.expected = loaded;
  record.isRemembered = false;
}

/**
 * After a restart of the controller, rules that are right stay although their resolvers were not read yet: what
 * they were loaded with is more likely than a guess. It is compared as soon as they are read.
 */
const isFirstGuess = (record: ReconcileState, isGuess: boolean): boolean =>
  isGuess && !record.isOurs && record.startedWith === undefined;

/** A template that does not write its fingerprint as it should was tried out before, and is not used. */
const notWhatWasLoaded = (name: string, wanted: string, { fingerprint }: Loaded): LoadError =>
  new LoadError(
    fingerprint === undefined
      ? `the namespace of ${name} has no fingerprint after rules ${wanted} were loaded; a template must write {{comment}}, as the included ones do`
      : `the namespace of ${name} holds the rules of another egresstrator (${fingerprint}) right after rules ${wanted} were loaded; if a second controller runs on this Engine, stop one`,
  );
