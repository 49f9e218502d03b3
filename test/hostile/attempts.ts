/**
 * Attempts of an image's author, or of a program in the container, as data: the settings of the image, the options of
 * `docker run`, what the program does, and how the test sees that it has an effect.
 */

import type { Attacker } from './attacker.ts';
import type { ImageSpec } from './images.ts';

export interface Attempt {
  readonly name: string;
  /** Default: an image without settings. */
  readonly image?: ImageSpec;
  /** Options of `docker run`. */
  readonly options: readonly string[];
  /** A shell line that the container's program runs after its first connection. */
  readonly script?: string;
  /** Changes the running container from outside: by its operator, or by another container. */
  readonly afterStart?: (attacker: Attacker) => Promise<void>;
  /** Settings that the Engine must show: variables as they are, labels as `name=value`. */
  readonly expectedSettings?: readonly string[];
  /** Whether the attempt has its effect; called until it returns true. */
  readonly hasEffect?: (attacker: Attacker) => Promise<boolean>;
  /** A destination that must be denied; default: port 80 of the server that is in no granted key. */
  readonly target?: Target;
  /** The key of `docker run` certainly counts: it must work, and flows to a port removed from it must be cut. */
  readonly isGranted?: boolean;
}

export interface Target {
  readonly at: 'denied' | 'names';
  readonly port: number;
}

export const DENIED_TARGET: Target = { at: 'denied', port: 80 };

export const enabledByVariables = ['-e', 'EGRESSTRATOR_ENABLE=1', '-e', 'EGRESSTRATOR_ACL=db'] as const;
export const enabledByLabels = [
  '--label',
  'egresstrator.enable=1',
  '--label',
  'egresstrator.acl=db',
] as const;
