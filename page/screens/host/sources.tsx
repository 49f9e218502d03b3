/**
 * What the rules are made of, and how fresh it is.
 */
import { table } from '../../live/store.ts';
import { Panel } from '../../ui/panel.tsx';
import { State } from '../../ui/state.tsx';
import { Time } from '../../ui/time.tsx';
import { type SourceRow, sourceRows } from './model.ts';

export function Sources() {
  const found = sourceRows([...table('sources').values()]);
  return (
    <Panel title="Sources">
      <ul class="sources">
        {found.map((one) => (
          <Source key={one.name} {...one} />
        ))}
      </ul>
    </Panel>
  );
}

const Source = ({ name, state, confirmedAt, error }: SourceRow) => (
  <li>
    <State state={state} />
    <span>{name}</span>
    <span class="muted">
      confirmed <Time at={confirmedAt} />
    </span>
    {error !== undefined && <p class="problem">{error}</p>}
  </li>
);
