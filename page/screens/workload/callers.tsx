/**
 * Who may call a workload, and whose calls were denied.
 */

import type { DeniedCall } from '../../../src/diagnostics/denied-in.ts';
import { INGRESS_MEANING } from '../../../src/format/meaning.ts';
import { Facts, Panel } from '../../ui/panel.tsx';
import { State, Tag } from '../../ui/state.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Problems } from '../../ui/texts.tsx';
import { Time } from '../../ui/time.tsx';
import type { Callers as CallersValue } from './model.ts';

/** Nothing where it names no ingress keys and no call was denied. */
export function Callers({ callers: { status, denied } }: { readonly callers: CallersValue }) {
  if (status === undefined && denied.length === 0) return null;
  return (
    <Panel title="Its callers">
      {status !== undefined && (
        <div>
          <Facts
            facts={[
              ['ingress', <State key="state" state={status.state} />],
              ['description', INGRESS_MEANING[status.state]],
              ['keys', status.keys.join(', ') || 'none'],
              ['mode', status.mode],
              ['verified', <Time key="verified" at={status.verifiedAt} />],
            ]}
          />
        </div>
      )}
      {status !== undefined && status.problems.length > 0 && <Problems problems={status.problems} />}
      {denied.length > 0 && (
        <Table
          caption="Denied callers"
          columns={COLUMNS}
          rows={denied}
          idOf={({ source, address, protocol, port }) => `${source} ${address} ${protocol} ${port ?? ''}`}
          name="callers"
        />
      )}
    </Panel>
  );
}

const COLUMNS: readonly Column<DeniedCall>[] = [
  {
    ...{ id: 'source', title: 'Denied caller', isMain: true, sort: ({ source }) => source },
    cell: ({ source, passed }) => (
      <span class="destination">
        <span class="code">{source}</span>
        {passed === true && <Tag tone="watch">passed</Tag>}
      </span>
    ),
  },
  {
    ...{ id: 'port', title: 'Port', sort: ({ port }) => port ?? 0 },
    cell: ({ protocol, port }) => (
      <span class="code">{port === undefined ? protocol : `${protocol}/${port}`}</span>
    ),
  },
  {
    id: 'gate',
    title: 'Denied by',
    cell: ({ gate }) => (gate === 'ingress' ? 'ingress rules' : 'ports guard'),
  },
  {
    ...{ id: 'packets', title: 'Packets', isNumber: true, look: 'fit', sort: ({ packets }) => packets },
    cell: ({ packets }) => packets.toLocaleString('en-US'),
  },
  {
    ...{ id: 'last', title: 'Last seen', isNumber: true, look: 'fit', sort: ({ lastSeenAt }) => lastSeenAt },
    cell: ({ lastSeenAt }) => <Time at={lastSeenAt} />,
  },
];
