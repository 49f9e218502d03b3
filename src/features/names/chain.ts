/**
 * Follows an answer from the name that was asked, by CNAME and DNAME, to the records of the type that was asked.
 *
 * The asked name alone decides whether an answer is allowed, so only what it leads to may be in the answer: any other
 * record is somebody else's name, and could put an address beside a name that no rule is about.
 */
import { TYPE } from '../../dns/codes.ts';
import { isWithin, LONGEST_NAME, type Name, nameKey, sameName, wireLength } from '../../dns/name.ts';
import type { AskedQuestion } from '../../dns/question.ts';
import type { DnsRecord } from '../../dns/record.ts';

export interface Chain {
  /** The records on the chain, in its order, and those at its end. */
  readonly records: readonly DnsRecord[];
  /** The last name: that of the records that were asked for. */
  readonly end: Name;
}

/** Types that lead to other names. */
const LEADS: ReadonlySet<number> = new Set([TYPE.CNAME, TYPE.DNAME]);

/** Steps from name to name; true chains have a few. */
export const MOST_STEPS = 16;

/** The chain, or why there is none. Linear in the number of records. */
export const followChain = (
  { name, type }: AskedQuestion,
  records: readonly DnsRecord[],
): Chain | { readonly reason: string } => {
  // Most answers lead nowhere else.
  if (records.every((one) => one.type === type && !LEADS.has(type) && sameName(one.name, name)))
    return { records, end: name };
  const byOwner = Map.groupBy(records, (record) => nameKey(record.name));
  const trees = records.filter((record) => record.type === TYPE.DNAME);
  const kept: DnsRecord[] = [];
  const seen = new Set<string>();
  for (let end = name; ; ) {
    const key = nameKey(end);
    if (seen.has(key)) return { reason: 'its names lead in a circle' };
    if (seen.size > MOST_STEPS) return { reason: `its names lead over more than ${MOST_STEPS} steps` };
    seen.add(key);
    const own = byOwner.get(key) ?? [];
    const step = type === TYPE.CNAME ? undefined : nextStep(end, own, trees, type);
    if (step === undefined)
      return { records: [...kept, ...own.filter((record) => record.type === type)], end };
    if ('reason' in step) return step;
    kept.push(...step.records);
    end = step.target;
  }
};

type Step =
  | { readonly target: Name; readonly records: readonly DnsRecord[] }
  | { readonly reason: string }
  | undefined;

const nextStep = (name: Name, own: readonly DnsRecord[], trees: readonly DnsRecord[], type: number): Step => {
  const aliases = own.filter((record) => record.type === TYPE.CNAME);
  const [alias] = aliases;
  const target = alias?.target;
  if (aliases.some((one) => !sameName(one.target ?? [], target ?? [])))
    return { reason: 'a name has several CNAME records' };
  const tree = type === TYPE.DNAME ? undefined : treeAbove(name, trees);
  if (tree === undefined)
    return alias === undefined || target === undefined ? undefined : { target, records: [alias] };
  const moved = movedBy(tree, name);
  if (moved === undefined) return { reason: 'a DNAME record makes a name that is longer than 255 bytes' };
  if (target !== undefined && !sameName(target, moved))
    return { reason: 'a CNAME record contradicts a DNAME record' };
  return { target: moved, records: alias === undefined ? [tree] : [tree, alias] };
};

/** DNAME records are few, as each takes a step of the chain. */
const MOST_TREES = MOST_STEPS;

/** The DNAME record of a name above; the name itself is not moved by its own. */
const treeAbove = (name: Name, trees: readonly DnsRecord[]): DnsRecord | undefined =>
  trees.slice(0, MOST_TREES).find((tree) => name.length > tree.name.length && isWithin(name, tree.name));

const movedBy = ({ name: from, target = [] }: DnsRecord, name: Name): Name | undefined => {
  const moved = [...name.slice(0, name.length - from.length), ...target];
  return wireLength(moved) > LONGEST_NAME ? undefined : moved;
};
