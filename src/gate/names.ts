/**
 * What the gate and the controller have to agree on: where things are, and what a file of prepared
 * rules is called. `gate/request.awk` prints the same text for the same request: both pass
 * test/vectors/prepared-rules.json.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { DnsPolicy, Mode } from '../inventory/workload.ts';

/** Default of the folder that both share; on the usual hosts it is empty again after a boot. */
export const DEFAULT_RUN_DIR = '/run/egresstrator';

/** What a container asks for, as far as its rules depend on it. */
export interface RuleRequest {
  /** In any order. */
  readonly grants: readonly string[];
  readonly mode: Mode;
  readonly dns: DnsPolicy;
}

export const preparedFolder = (runDir: string): string => join(runDir, 'prepared');
export const recordFolder = (runDir: string): string => join(runDir, 'gate');

/** 64 hex digits: the same for the same grants, however they were written. */
export const preparedName = (request: RuleRequest): string =>
  createHash('sha256').update(canonical(request)).digest('hex');

/** Keys come sorted by their bytes, each once, with their length in bytes in front. */
function canonical({ grants, mode, dns }: RuleRequest): string {
  const keys = [...new Set(grants)].map((key) => Buffer.from(key)).sort(Buffer.compare);
  const lines = keys.map((key) => `${key.length}:${key.toString()}`);
  return [`egresstrator 1 ${mode} ${dns}`, ...lines, 'end'].join('\n');
}
