/**
 * `egresstrator doctor`: check that this host has everything egresstrator needs. Exit code 1 if anything is an
 * error.
 */

import { UserError } from '../../common/errors.ts';
import type { Flags } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { openDocker } from '../../daemon/wiring.ts';
import { count } from '../../format/values.ts';
import { commandContext } from '../diagnostics/context.ts';
import { collect } from '../doctor/collect.ts';
import { evaluate } from '../doctor/evaluate.ts';
import { formatChecks } from '../format/doctor.ts';
import { withProgress } from '../progress.ts';
import { settingsOf } from './gate.ts';

export async function doctor(flags: Flags, terminal: Terminal): Promise<void> {
  const { config, output, style } = commandContext(flags, terminal);
  const sources = {
    config,
    docker: () => openDocker(config, terminal),
    gate: () => settingsOf(flags, terminal),
  };
  const facts = await withProgress('Checking this host', terminal, () => collect(sources));
  const checks = evaluate(facts);
  output.result({ checks }, (seen) => formatChecks(seen.checks, style));
  const errors = checks.filter(({ health }) => health === 'error').length;
  if (errors > 0) throw new UserError(`${count(errors, 'error')}: this host is not ready`);
}
