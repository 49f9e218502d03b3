/**
 * The names that were asked in vain, and what would allow each.
 */

import { type DeniedNameRow, nameSuggestions } from '../../../src/diagnostics/denied-names.ts';
import { NO_REPORT } from '../../../src/features/names/name-report.ts';
import { deniedNameId } from '../../../src/live/tables.ts';
import { table } from '../../live/store.ts';
import { CopyButton } from '../../ui/copy.tsx';
import { Filters, Panel, SearchField } from '../../ui/panel.tsx';
import { keyPath, queryOf, workloadPath } from '../../ui/router.ts';
import { matching } from '../../ui/rows.ts';
import { type Column, Table } from '../../ui/table.tsx';
import { Empty } from '../../ui/texts.tsx';
import { Time } from '../../ui/time.tsx';
import { deniedNamesOf, deniedNameText, whyText } from './model.ts';
import { Chosen } from './workloads.tsx';

const DENIED: readonly Column<DeniedNameRow>[] = [
  {
    ...{ id: 'name', title: 'Name', isMain: true, look: 'code words' },
    cell: ({ name }) => name,
    sort: ({ name }) => name,
  },
  {
    ...{ id: 'workload', title: 'Workload' },
    cell: ({ container }) => <a href={workloadPath(container)}>{container}</a>,
    sort: ({ container }) => container,
  },
  {
    ...{ id: 'asked', title: 'Asked', isNumber: true },
    cell: ({ count }) => count.toLocaleString('en-US'),
    sort: ({ count }) => count,
  },
  {
    ...{ id: 'last', title: 'Last seen', look: 'fit' },
    cell: ({ lastSeenAt }) => <Time at={lastSeenAt} />,
    sort: ({ lastSeenAt }) => lastSeenAt,
  },
  { id: 'type', title: 'Type', look: 'soft', cell: ({ types }) => types.join(', ') },
  { id: 'why', title: 'Why', look: 'soft', cell: whyText },
  { id: 'allow', title: 'What would allow it', cell: (row) => <Allow row={row} /> },
];

/** The line, and keys that have one about it. */
const Allow = ({ row }: { readonly row: DeniedNameRow }) => {
  const [line] = nameSuggestions({ names: { ...NO_REPORT, denied: [row] } }, () => false);
  if (line === undefined && row.keys.length === 0) return <span class="muted">no rule by name</span>;
  return (
    <span class="tags">
      {row.keys.map((key) => (
        <a key={key} class="tag" href={keyPath(key)}>
          key {key}
        </a>
      ))}
      {line !== undefined && (
        <CopyButton text={line.rule} label={`the line ${line.rule}`}>
          <code>{line.rule}</code>
        </CopyButton>
      )}
    </span>
  );
};

export function Denied() {
  const all = deniedNamesOf(table('deniedNames').values(), queryOf('workload'));
  const rows = matching(all, queryOf('q'), deniedNameText);
  return (
    <Panel
      title="Asked in vain, in the last hour"
      count={all.length}
      tools={
        <CopyButton text="egresstrator denied" label="the command egresstrator denied" isPlain>
          denied
        </CopyButton>
      }
    >
      {all.length === 0 ? (
        <Empty>Every name that was asked was answered.</Empty>
      ) : (
        <>
          <Filters>
            <SearchField label="Search names" />
            <Chosen />
          </Filters>
          <Table
            {...{ caption: 'Names that were asked in vain', columns: DENIED, rows, name: 'by' }}
            idOf={deniedNameId}
          />
        </>
      )}
    </Panel>
  );
}
