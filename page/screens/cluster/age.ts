/**
 * The present time for the age of what hosts have published, which is looked at again each ten seconds.
 */
import { computed } from '@preact/signals';
import { now } from '../../live/clock.ts';

const STEP = 10_000;

export const time = computed(() => Math.floor(now.value / STEP) * STEP);
