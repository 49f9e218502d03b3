/** All attempts, and the images that those which are made one after the other need. */
import { around } from './around.ts';
import type { Attempt } from './attempts.ts';
import { costImages, costs } from './costs.ts';
import type { Feat } from './feats.ts';
import type { ImageSpec } from './images.ts';
import { recordImages, records } from './records.ts';
import { stall } from './stall.ts';
import { words } from './words.ts';

export const attempts: readonly Attempt[] = [...words, ...stall];
export const feats: readonly Feat[] = [...costs, ...records, ...around];
export const images: Readonly<Record<string, ImageSpec>> = { ...costImages, ...recordImages };
