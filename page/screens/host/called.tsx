/**
 * The containers that have rules about their callers.
 */

import type { IngressStatus } from '../../../src/features/ingress/status.ts';
import { INGRESS_MEANING } from '../../../src/format/meaning.ts';
import { table } from '../../live/store.ts';
import { Panel } from '../../ui/panel.tsx';
import { workloadPath } from '../../ui/router.ts';
import { State } from '../../ui/state.tsx';
import { urgencyOf } from '../../ui/state-looks.ts';
import { type Column, Table } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';

/** Nothing if there are none. */
export function Called() {
  const called = [...table('ingress').values()].toSorted(
    (one, other) => urgencyOf(one.state) - urgencyOf(other.state),
  );
  if (called.length === 0) return null;
  return (
    <Panel title="Rules about callers" count={called.length}>
      <Table
        caption="Containers with rules about their callers"
        columns={CALLED}
        rows={called}
        idOf={({ id }) => id}
        name="called"
      />
    </Panel>
  );
}

const CALLED: readonly Column<IngressStatus>[] = [
  {
    ...{ id: 'name', title: 'Called', isMain: true, look: 'name', sort: ({ target }) => target },
    cell: ({ target }) => <a href={workloadPath(target)}>{target}</a>,
  },
  {
    ...{ id: 'state', title: 'Ingress', look: 'fit', sort: ({ state }) => urgencyOf(state) },
    cell: ({ state }) => <State state={state} title={INGRESS_MEANING[state]} />,
  },
  {
    ...{ id: 'keys', title: 'Ingress keys', look: 'wide', sort: ({ keys }) => keys.join(' ') },
    cell: ({ keys }) => keys.join(', ') || <span class="muted">none</span>,
  },
  {
    ...{ id: 'verified', title: 'Verified', isNumber: true, look: 'fit' },
    sort: ({ verifiedAt }) => verifiedAt ?? 0,
    cell: ({ verifiedAt }) => <Time at={verifiedAt} />,
  },
];
