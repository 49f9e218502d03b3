/** All attempts, and the images of those that run one after the other. */

import type { Attempt } from './attempts.ts';
import { controllerAttacks } from './controller-attacks.ts';
import { costImages, costs } from './costs.ts';
import type { CustomAttempt } from './custom-attempts.ts';
import { imageSettings } from './image-settings.ts';
import type { ImageSpec } from './images.ts';
import { loadDelays } from './load-delays.ts';
import { recordImages, records } from './records.ts';

export const attempts: readonly Attempt[] = [...imageSettings, ...loadDelays];
export const customAttempts: readonly CustomAttempt[] = [...costs, ...records, ...controllerAttacks];
export const images = (): Readonly<Record<string, ImageSpec>> => ({ ...costImages(), ...recordImages });

/** EGRESSTRATOR_HOSTILE_ONLY: a regular expression; only attempts whose name fits are made. */
const only = new RegExp(process.env.EGRESSTRATOR_HOSTILE_ONLY ?? '');
export const isChosen = ({ name }: { readonly name: string }): boolean => only.test(name);
