/**
 * What a workload may reach: its keys, their lines, and the instances behind services.
 */
import { many } from '../../../src/format/values.ts';
import type { WorkloadEntry } from '../../../src/live/tables.ts';
import type { AllowedDestination, AllowedKey, AllowedLine } from '../../rules/allowed.ts';
import { useLazy } from '../../ui/lazy.ts';
import { Panel } from '../../ui/panel.tsx';
import { keyPath } from '../../ui/router.ts';
import { Tag } from '../../ui/state.tsx';
import { Empty, Loading } from '../../ui/texts.tsx';

const load = () => import('./reach-of.ts');

export function Reach({ workload }: { readonly workload: WorkloadEntry }) {
  const rules = useLazy(load);
  return (
    <Panel title="What its keys allow" count={workload.grants.length}>
      {workload.grants.length === 0 ? (
        <Empty>It has no key: EGRESSTRATOR_ACL is empty.</Empty>
      ) : rules === undefined ? (
        <Loading what="its keys" />
      ) : (
        <ul class="reach">
          {(rules.presentReach(workload) ?? []).map((one) => (
            <Key key={one.key} reach={one} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

/** The most lines of a key, and destinations of a line; the key's own screen has all. */
const MOST_LINES = 40;
const MOST_DESTINATIONS = 6;

const Key = ({ reach: { key, exists, lines } }: { readonly reach: AllowedKey }) => (
  <li>
    <h3>
      <a href={keyPath(key)}>{key}</a>
      {!exists && <Tag tone="bad">Consul does not have it</Tag>}
      {exists && lines.length === 0 && <Tag tone="warn">it has no rule</Tag>}
    </h3>
    <ol>
      {lines.slice(0, MOST_LINES).map((line) => (
        <Line key={line.line} {...line} />
      ))}
    </ol>
    {lines.length > MOST_LINES && (
      <p class="muted">
        and <a href={keyPath(key)}>{many(lines.length - MOST_LINES, 'more line')}</a>
      </p>
    )}
  </li>
);

const Line = ({ line, text, kind, destinations, problems }: AllowedLine) => (
  <li class={kind}>
    <span class="line">{line}</span>
    <code>{text}</code>
    <span class="leads">
      {kind !== 'address' && <Destinations destinations={destinations} />}
      {kind === 'name' && destinations.length === 0 && (
        <span class="muted">an address is granted when it asks for the name</span>
      )}
    </span>
    {problems.map(({ severity, reason }) => (
      <p key={reason} class={severity === 'error' ? 'problem' : 'remark'}>
        {reason}
      </p>
    ))}
  </li>
);

function Destinations({ destinations }: { readonly destinations: readonly AllowedDestination[] }) {
  const rest = destinations.length - MOST_DESTINATIONS;
  return (
    <>
      {destinations.slice(0, MOST_DESTINATIONS).map(({ address, traffic, node, name }) => (
        <span key={`${address} ${traffic} ${node ?? name ?? ''}`}>
          <span class="code">
            {address} {traffic}
          </span>{' '}
          <span class="muted">{node ?? name}</span>
        </span>
      ))}
      {rest > 0 && <span class="muted">and {rest.toLocaleString('en-US')} more</span>}
    </>
  );
}
