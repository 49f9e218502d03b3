/**
 * The output of each command with --json, as JSON Schema: `npm run schemas` writes one file for each name to
 * docs/schemas. A schema lists the promised properties; there may be others.
 */
import { z } from 'zod';
import {
  ContainerStatus,
  DeniedOne,
  DeniedReply,
  KeysReply,
  LintReply,
} from '../../daemon/api/diagnostics-schema.ts';
import { Explained } from '../../daemon/api/explain-schema.ts';
import {
  DeniedInReply,
  ExplainInReply,
  HostReply,
  HostRules,
  PortReply,
} from '../../daemon/api/host-schema.ts';
import { OverrideReply, StatusReply } from '../../daemon/api/schema.ts';
import { FileFields } from '../../features/networks/schema.ts';
import {
  Checked,
  Cluster,
  Forwards,
  GateChanges,
  GateState,
  Healthy,
  Ports,
  Restored,
  Uninstalled,
} from './host.ts';
import { NetworksChecked, NetworksDiffering, NetworksSteps } from './networks.ts';
import { Differing, Rendered, Suggested, SuggestedIn } from './rules.ts';

export interface CommandSchema {
  /** The command with the arguments that print this. */
  readonly call: string;
  readonly schema: z.ZodType;
}

/** By the name of the file, without its ending. */
export const SCHEMAS: Readonly<Record<string, CommandSchema>> = {
  status: { call: 'status', schema: StatusReply },
  'status-container': { call: 'status <container>', schema: ContainerStatus },
  'status-cluster': { call: 'status --cluster', schema: Cluster },
  denied: { call: 'denied', schema: DeniedReply },
  'denied-follow': { call: 'denied --follow', schema: DeniedOne },
  'suggest-in': { call: 'suggest --in', schema: SuggestedIn },
  'denied-in': { call: 'denied --in', schema: DeniedInReply },
  explain: { call: 'explain', schema: Explained },
  suggest: { call: 'suggest', schema: Suggested },
  lint: { call: 'lint', schema: LintReply },
  diff: { call: 'diff', schema: Differing },
  keys: { call: 'keys', schema: KeysReply },
  'explain-in': { call: 'explain --in', schema: ExplainInReply },
  'host-status': { call: 'host status', schema: HostReply },
  'host-render': { call: 'host render', schema: HostRules },
  'host-restore': { call: 'host restore', schema: Restored },
  ports: { call: 'ports', schema: Ports },
  'ports-open': { call: 'ports open', schema: PortReply },
  'ports-close': { call: 'ports close', schema: PortReply },
  'ports-own': { call: 'ports own', schema: PortReply },
  forwards: { call: 'forwards', schema: Forwards },
  'networks-check': { call: 'networks check', schema: NetworksChecked },
  'networks-apply': { call: 'networks apply', schema: NetworksSteps },
  'networks-diff': { call: 'networks diff', schema: NetworksDiffering },
  doctor: { call: 'doctor', schema: Checked },
  set: { call: 'set', schema: OverrideReply },
  clear: { call: 'clear', schema: OverrideReply },
  render: { call: 'render', schema: Rendered },
  health: { call: 'health', schema: Healthy },
  uninstall: { call: 'uninstall', schema: Uninstalled },
  'gate-install': { call: 'gate install', schema: GateChanges },
  'gate-uninstall': { call: 'gate uninstall', schema: GateChanges },
  'gate-status': { call: 'gate status', schema: GateState },
};

/** The files of docs/schemas and their texts, which are the same for the same schemas. */
export const schemaFiles = (): ReadonlyMap<string, string> =>
  new Map([
    ...Object.entries(SCHEMAS).map(
      ([name, { call, schema }]) => [`${name}.json`, textOf(schema, `egresstrator ${call} --json`)] as const,
    ),
    // What people write, for their editors.
    ['networks.json', textOf(FileFields, 'networks.json of egresstrator')],
  ]);

/** As an input schema, which allows additional properties. */
function textOf(schema: z.ZodType, title: string): string {
  const made = z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' });
  return `${JSON.stringify(sorted({ ...made, title }), null, 2)}\n`;
}

/** Sorts the properties of every object by name. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, one]) => [name, sorted(one)]));
}
