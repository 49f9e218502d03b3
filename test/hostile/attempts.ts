/**
 * What is tried against the rules by those who write an image or run inside it, as data: what the image
 * says, what its runner says, what its program does, and how it is seen that the trick is one.
 */

import type { Attacker } from './attacker.ts';
import type { ImageSpec } from './images.ts';

export interface Attempt {
  readonly name: string;
  /** Default: one that says nothing. */
  readonly image?: ImageSpec;
  /** What who runs it says: options of `docker run`. */
  readonly run: readonly string[];
  /** A line of shell that its program runs after its first connection. */
  readonly trick?: string;
  /** What is done to the running container, by its runner or by another container. */
  readonly after?: (attacker: Attacker) => Promise<void>;
  /** What the Engine must have made of the words: variables as they are, labels as `name=value`. */
  readonly says?: readonly string[];
  /** Whether the trick has its effect; asked again until it has. */
  readonly hasEffect?: (attacker: Attacker) => Promise<boolean>;
  /** What it must not reach; default: port 80 of the server that no key of its runner names. */
  readonly target?: Target;
  /** Its runner's key is beyond doubt: it must work, and what is taken from it must be cut. */
  readonly isGranted?: boolean;
}

export interface Target {
  readonly at: 'denied' | 'names';
  readonly port: number;
}

export const FORBIDDEN: Target = { at: 'denied', port: 80 };

export const byVariables = ['-e', 'EGRESSTRATOR_ENABLE=1', '-e', 'EGRESSTRATOR_ACL=db'] as const;
export const byLabels = ['--label', 'egresstrator.enable=1', '--label', 'egresstrator.acl=db'] as const;
