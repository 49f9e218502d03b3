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

export const preparedFolder = (runDir: string): string => join(runDir, 'prepared');
export const recordFolder = (runDir: string): string => join(runDir, 'gate');

/** 64 hex digits: equal for equal grants, in any order. */
export const preparedName = (request: RuleRequest): string =>
  createHash('sha256').update(canonical(request)).digest('hex');

/** Keys are sorted by their bytes, without duplicates, each with its length in bytes in front. */
function canonical({ grants, mode, dns }: RuleRequest): string {
  const keys = [...new Set(grants)].map((key) => Buffer.from(key)).sort(Buffer.compare);
  const lines = keys.map((key) => `${key.length}:${key.toString()}`);
  return [`egresstrator 1 ${mode} ${dns}`, ...lines, 'end'].join('\n');
}
