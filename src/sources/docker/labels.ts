/**
 * Identifies our own containers by name and labels, so that leftovers of a crash are found. Labels alone are not
 * enough: they can be copied, and a container of an image that was committed from a helper inherits them.
 */
import { randomUUID } from 'node:crypto';
import type { LabelledContainer } from './engine.ts';

const roleLabel = 'egresstrator.role';
const helperRole = 'helper';
const instanceLabel = 'egresstrator.instance';
/** Seconds since the epoch after which nobody waits for this container any more. */
const expiresLabel = 'egresstrator.expires';

/** The labels of ours that mean something to this program; a container may have any number that begin alike. */
export const OUR_LABELS = [roleLabel, instanceLabel, expiresLabel] as const;

/** What to ask the Engine for: all of ours have it. */
export const ourLabel = `${roleLabel}=${helperRole}`;

/** `instance` names the process that made it; it is not needed after `expiresAt` (ms since the epoch). */
export const ourLabels = (instance: string, expiresAt: number): Readonly<Record<string, string>> => ({
  [roleLabel]: helperRole,
  [instanceLabel]: instance,
  [expiresLabel]: String(Math.ceil(expiresAt / 1000)),
});

/** A new name; `purpose`: what the container is for. */
export const ourName = (purpose: 'helper' | 'resolvers'): string => `egresstrator-${purpose}-${randomUUID()}`;

/** As the Engine tells it, with a slash in front. */
const nameForm = /^\/egresstrator-(helper|resolvers)-[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** Whether it was made by this program: it has such a name, and all of the labels. */
export const isOurs = ({ names, labels }: Omit<LabelledContainer, 'id'>): boolean =>
  names.some((name) => nameForm.test(name)) &&
  labels[roleLabel] === helperRole &&
  labels[instanceLabel] !== undefined &&
  /^\d+$/.test(labels[expiresLabel] ?? '');

/** Whether nobody waits any more for a container that is ours. `now` in ms since the epoch. */
export const hasExpired = ({ labels }: Pick<LabelledContainer, 'labels'>, now: number): boolean =>
  Number(labels[expiresLabel]) * 1000 <= now;
