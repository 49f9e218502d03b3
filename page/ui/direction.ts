/**
 * Which kind of keys a screen is about, as the address says it.
 */
import type { Direction } from '../../src/common/direction.ts';
import { queryOf } from './router.ts';

export const directionIn = (): Direction => (queryOf('in') === 'ingress' ? 'ingress' : 'egress');
