/**
 * Answers about a text of a key, by the diagnostics that the command line asks: what lint finds, and what
 * would change for whom.
 */
import type { Direction } from '../../src/common/direction.ts';
import { UserError } from '../../src/common/errors.ts';
import {
  createDiagnostics,
  type Diagnostics,
  type DiffAnswer,
  type LintAnswer,
} from '../../src/diagnostics/diagnostics.ts';
import type { IngressSnapshot } from '../../src/diagnostics/ingress-snapshot.ts';
import type { Snapshot } from '../../src/diagnostics/snapshot.ts';
import type { LiveState } from '../../src/live/state.ts';
import { type Acl, type AclKey, parseAcl } from '../../src/policy/acl.ts';
import { servicesOf } from '../../src/policy/compile.ts';
import { type ReadService, withServicesOf } from './services.ts';

/** A text of a key, stored or not. */
export interface KeyText {
  readonly key: string;
  readonly text: string;
  readonly direction: Direction;
}

/** What the stream has brought. `ingress` is needed for ingress keys. */
export interface Known {
  readonly snapshot: Snapshot;
  readonly ingress?: LiveState['ingress'] | undefined;
}

export interface TextAnswer {
  readonly question: KeyText;
  readonly parsed: AclKey;
  /** With the services that the text names. */
  readonly snapshot: Snapshot;
  readonly findings: LintAnswer['findings'];
  /** Undefined of ingress keys: which instances call from where is for the controller to say. */
  readonly diff?: DiffAnswer | undefined;
}

export async function answerTo(question: KeyText, known: Known, read: ReadService): Promise<TextAnswer> {
  const parsed = parsedKey(question);
  const snapshot = await withServicesOf(known.snapshot, servicesOf([parsed]), read);
  const findings = await findingsOf(question, parsed, { ...known, snapshot });
  const { key, text, direction } = question;
  const diff = direction === 'egress' ? await diagnosticsOn(snapshot).diff({ key, text }) : undefined;
  return { question, parsed, snapshot, findings, diff };
}

/** What `egresstrator lint --key` would find if Consul had the text. */
async function findingsOf(
  { key, direction }: KeyText,
  parsed: AclKey,
  { snapshot, ingress }: Known,
): Promise<LintAnswer['findings']> {
  const acl = new Map([[key, parsed]]);
  const given =
    direction === 'egress' ? { ...snapshot, acl } : { ...snapshot, ingress: ingressOf(acl, ingress) };
  const { findings } = await diagnosticsOn(given).lint({
    key,
    ...(direction === 'ingress' && { direction }),
  });
  return findings;
}

/** The stream has no more of the containers, and lint of one key needs no more. */
const ingressOf = (acl: Acl, ingress: LiveState['ingress'] = new Map()): IngressSnapshot => ({
  ...{ acl, containers: [] },
  workloads: [...ingress.values()].flatMap(({ workloads, keys }) =>
    workloads.map((name) => ({ name, grants: keys })),
  ),
});

export const parsedKey = ({ key, text, direction }: KeyText): AclKey =>
  parseAcl(new Map([[key, text]]), undefined, direction).get(key) ?? { key, text, rules: [], problems: [] };

/** All that is asked from the snapshot alone. */
export const diagnosticsOn = (snapshot: Snapshot): Pick<Diagnostics, 'diff' | 'lint'> =>
  createDiagnostics({
    snapshot: async () => snapshot,
    denied: notHere,
    host: notHere,
    hostOfCalls: notHere,
    ingress: notHere,
    deniedCalls: notHere,
  });

const notHere = () => Promise.reject(new UserError('the controller alone knows that'));
