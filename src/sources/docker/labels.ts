/**
 * Identifies our own containers by name and labels, so that leftovers of a crash are found. Labels alone are not
 * enough: they can be copied, and a container of an image that was committed from a helper inherits them.
 */
import { randomUUID } from 'node:crypto';
import type { LabelledContainer } from './engine.ts';

const roleLabel = 'egresstrator.role';
const helperRole = 'helper';
const instanceLabel = 'egresstrator.instance';
/** Seconds since the epoch after which the container is no longer in use. */
const expiresLabel = 'egresstrator.expires';

/** Says to which project of compose a container belongs; for people. */
export const PROJECT_LABEL = 'com.docker.compose.project';

/** Our labels that this program reads. A container may have any number of labels with the same prefix. */
export const OUR_LABELS = [roleLabel, instanceLabel, expiresLabel] as const;

/** The filter for our containers. */
export const ourLabel = `${roleLabel}=${helperRole}`;

/**
 * `instance` identifies the process that created it. `expiresAt`: when it is no longer in use, in ms since the epoch.
 */
export const ourLabels = (instance: string, expiresAt: number): Readonly<Record<string, string>> => ({
  [roleLabel]: helperRole,
  [instanceLabel]: instance,
  [expiresLabel]: String(Math.ceil(expiresAt / 1000)),
});

/** Returns a new name for this purpose. */
export const ourName = (purpose: 'helper' | 'resolvers'): string => `egresstrator-${purpose}-${randomUUID()}`;

/** The form in the Engine's answers, with a leading slash. */
const nameForm = /^\/egresstrator-(helper|resolvers)-[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** True if this program created it: it has such a name and all of the labels. */
export const isOurs = ({ names, labels }: Omit<LabelledContainer, 'id'>): boolean =>
  names.some((name) => nameForm.test(name)) &&
  labels[roleLabel] === helperRole &&
  labels[instanceLabel] !== undefined &&
  /^\d+$/.test(labels[expiresLabel] ?? '');

/** True if one of our containers is no longer in use. `now` in ms since the epoch. */
export const hasExpired = ({ labels }: Pick<LabelledContainer, 'labels'>, now: number): boolean =>
  Number(labels[expiresLabel]) * 1000 <= now;
