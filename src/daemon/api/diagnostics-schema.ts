/**
 * The parts of the local API that answer questions: what is known, and what was refused.
 */
import { z } from 'zod';
import { Denied, Dns, Mode, State, Time } from './schema.ts';

const Instance = z.object({
  address: z.string(),
  port: z.number(),
  tags: z.array(z.string()),
  node: z.string(),
});

/** `scope`: see `Scope` in the command line; `also`: names of services, separated by commas. */
export const SnapshotQuery = z.object({
  scope: z.enum(['named', 'all']).default('named'),
  also: z.string().optional(),
});
export type SnapshotQuery = z.infer<typeof SnapshotQuery>;

export const SnapshotReply = z.object({
  places: z.array(
    z.object({
      workloads: z.array(z.string()),
      ids: z.array(z.string()),
      target: z.string(),
      grants: z.array(z.string()),
      mode: Mode,
      dns: Dns,
      state: State.optional(),
      resolvers: z.array(z.string()).optional(),
      hasForeignRules: z.boolean().optional(),
    }),
  ),
  rules: z.array(z.object({ key: z.string(), text: z.string() })),
  services: z.array(z.object({ name: z.string(), instances: z.array(Instance) })),
  refused: z.array(z.object({ name: z.string(), id: z.string(), reason: z.string() })).optional(),
  unasked: z.array(z.string()).optional(),
  consul: z.string().optional(),
  unread: z.array(z.string()),
  whyUnread: z.record(z.string(), z.string()).optional(),
  protectedHosts: z.array(z.string()),
  template: z.string().optional(),
  kvPath: z.string().optional(),
  denylist: z.boolean(),
  recordsDenied: z.boolean(),
});
export type SnapshotReply = z.infer<typeof SnapshotReply>;

/** Names or ids, or the beginning of an id; undefined: all. */
export const DeniedQuery = z.object({ container: z.string().optional() });
export type DeniedQuery = z.infer<typeof DeniedQuery>;

/** One refused destination; `port` is the type where the protocol is icmp. */
export const Refusal = z.object({
  address: z.string(),
  protocol: z.string(),
  port: z.number().optional(),
  packets: z.number(),
  firstSeenAt: Time,
  lastSeenAt: Time,
});

/** What was denied, and where what no destination lists went to. */
export const Summary = Denied.extend({
  unlistedAt: z.array(z.object({ place: z.string(), packets: z.number() })),
});

export const DeniedReply = z.object({
  reports: z.array(
    z.object({
      container: z.string(),
      workloads: z.array(z.string()),
      mode: Mode,
      refusals: z.array(Refusal),
      summary: Summary.optional(),
      covers: z.number().optional(),
      /** When the kernel said so. */
      readAt: Time,
      error: z.string().optional(),
    }),
  ),
});
export type DeniedReply = z.infer<typeof DeniedReply>;
