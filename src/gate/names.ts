/**
 * The names that the gate and the controller share: folders, and files of prepared rules. `gate/request.awk` computes
 * the same names: both pass test/vectors/prepared-rules.json.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { DnsPolicy, Mode } from '../inventory/workload.ts';

/** The default of the shared folder; on most hosts it is empty after a boot. */
export const DEFAULT_RUN_DIR = '/run/egresstrator';

/** The settings of a container that its rules depend on. */
export interface RuleRequest {
  /** In any order. */
  readonly grants: readonly string[];
  readonly mode: Mode;
  readonly dns: DnsPolicy;
}

/** The same for rules about who may reach a container. */
export interface IngressRequest {
  /** In any order. */
  readonly keys: readonly string[];
  readonly mode: Mode;
}

export const preparedFolder = (runDir: string): string => join(runDir, 'prepared');
export const recordFolder = (runDir: string): string => join(runDir, 'gate');

/** 64 hex digits: equal for equal grants, in any order. */
export const preparedName = ({ grants, mode, dns }: RuleRequest): string =>
  digestOf(`egresstrator 1 ${mode} ${dns}`, grants);

export const preparedIngressName = ({ keys, mode }: IngressRequest): string =>
  digestOf(`egresstrator ingress 1 ${mode}`, keys);

/** Keys are sorted by their bytes, without duplicates, each with its length in bytes in front. */
function digestOf(first: string, keys: readonly string[]): string {
  const sorted = [...new Set(keys)].map((key) => Buffer.from(key)).sort(Buffer.compare);
  const lines = sorted.map((key) => `${key.length}:${key.toString()}`);
  return createHash('sha256')
    .update([first, ...lines, 'end'].join('\n'))
    .digest('hex');
}
