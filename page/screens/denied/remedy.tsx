/**
 * What would allow a denied destination, as buttons: the line, the command that stores it, and a try.
 */
import type { DeniedNameRow } from '../../../src/diagnostics/denied-names.ts';
import { CopyButton } from '../../ui/copy.tsx';
import { Icon } from '../../ui/icon.tsx';
import { useLazy } from '../../ui/lazy.ts';
import { keyPath } from '../../ui/router.ts';
import { Tag } from '../../ui/state.tsx';
import type { ShownRow } from './model.ts';

const load = () => import('./remedy-of.ts');

/** Why it was denied and what would allow it; or what allows it by now. */
export const Remedy = ({ row }: { readonly row: ShownRow }) => {
  const rules = useLazy(load);
  const now = rules?.allowingLine(row);
  if (now !== undefined)
    return (
      <span>
        <Tag tone="good">allowed now</Tag> <a href={keyPath(now.key)}>key {now.key}</a> line {now.line}
      </span>
    );
  return (
    <>
      <span class="muted">{row.why}</span>
      <Buttons rules={rules} container={row.container} remedy={rules?.forDestination(row)} />
    </>
  );
};

export const NameRemedy = ({ row }: { readonly row: DeniedNameRow }) => {
  const rules = useLazy(load);
  return <Buttons rules={rules} container={row.container} remedy={rules?.forName(row)} isName />;
};

type Rules = Awaited<ReturnType<typeof load>>;

function Buttons({
  rules,
  container,
  remedy,
  isName = false,
}: {
  readonly rules: Rules | undefined;
  readonly container: string;
  readonly remedy: ReturnType<Rules['forDestination']>;
  readonly isName?: boolean;
}) {
  if (rules === undefined || remedy === undefined) return <span class="buttons" />;
  const { line, key, others, isExpressible, isRisky, grants } = remedy;
  return (
    <span class="buttons">
      {isRisky && (
        <Tag tone="warn" title="a protected address, such as cloud credentials: check before you allow it">
          protected address
        </Tag>
      )}
      {isName && line !== undefined && <span class="muted">the port is assumed</span>}
      {others
        .filter((keys) => rules.canBeSet([...grants, ...keys]))
        .slice(0, 2)
        .map((keys) => (
          <CopyButton
            key={keys.join()}
            text={rules.setCommand(container, [...grants, ...keys])}
            label={`the command that gives ${container} ${keysText(keys)} until it is created again`}
          >
            Use {keysText(keys)}
          </CopyButton>
        ))}
      {!isExpressible && <span class="muted">no rule can express it</span>}
      {line !== undefined && (
        <CopyButton text={line} label={`the line ${line}`}>
          <code>{line}</code>
        </CopyButton>
      )}
      {line !== undefined && key !== undefined && (
        <CopyButton
          text={() => rules.put(key, line)}
          label={`the command that adds ${line} to the key ${key}: consul kv put`}
        >
          consul kv put {key}
        </CopyButton>
      )}
      {line !== undefined && (
        <a class="small" href={tryPath(key, line)}>
          <Icon name="flask" />
          Try it<span class="unseen">: {line}</span>
        </a>
      )}
    </span>
  );
}

const keysText = (keys: readonly string[]): string =>
  `${keys.length === 1 ? 'key' : 'keys'} ${keys.join(', ')}`;

const tryPath = (key: string | undefined, line: string): string =>
  `/what-if?${new URLSearchParams({ ...(key !== undefined && { key }), add: line })}`;
