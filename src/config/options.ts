/**
 * Every option of egresstrator, by area.
 *
 * A flag overrides a variable, and a variable overrides the default. The variables that begin with CONSUL_ and DOCKER_
 * have the same meaning as for Consul's and Docker's own tools.
 */
import { CONSUL_OPTIONS } from './options/consul.ts';
import { CONTROLLER_OPTIONS } from './options/controller.ts';
import { ENGINE_OPTIONS } from './options/engine.ts';
import { HOST_OPTIONS } from './options/host.ts';
import { NAME_OPTIONS } from './options/names.ts';
import { PAGE_OPTIONS } from './options/page.ts';
import { RULE_OPTIONS } from './options/rules.ts';

export type { OptionSpec } from './options/option-spec.ts';

/** In the order of the help. */
export const ALL_OPTIONS = {
  ...CONSUL_OPTIONS,
  ...RULE_OPTIONS,
  ...NAME_OPTIONS,
  ...ENGINE_OPTIONS,
  ...HOST_OPTIONS,
  ...PAGE_OPTIONS,
  ...CONTROLLER_OPTIONS,
};

export type OptionName = keyof typeof ALL_OPTIONS;
