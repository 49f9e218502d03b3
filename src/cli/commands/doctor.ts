/**
 * `egresstrator doctor`: whether this host has all that egresstrator needs, in one look. Exit code 1 if anything is an
 * error.
 */
import type { Flags } from '../../config/config.ts';
import { UserError } from '../../domain/errors.ts';
import { gather } from '../doctor/gather.ts';
import { judge } from '../doctor/judge.ts';
import { ask } from '../insight/context.ts';
import type { Terminal } from '../output.ts';
import { presentChecks } from '../present/doctor.ts';
import { count } from '../present/words.ts';
import { openDocker } from '../wiring.ts';
import { settingsOf } from './gate.ts';

export async function doctor(flags: Flags, terminal: Terminal): Promise<void> {
  const { config, output, paint } = ask(flags, terminal);
  const facts = await gather({
    config,
    docker: () => openDocker(config, terminal),
    gate: () => settingsOf(flags, terminal),
  });
  const checks = judge(facts);
  output.result({ checks }, (seen) => presentChecks(seen.checks, paint));
  const errors = checks.filter(({ health }) => health === 'error').length;
  if (errors > 0) throw new UserError(`${count(errors, 'error')}: this host is not ready`);
}
