/**
 * A state as a symbol, a word and a colour.
 */
import type { ComponentChildren } from 'preact';
import { Icon } from './icon.tsx';
import { type Look, lookOf } from './state-looks.ts';

/** `look`: for words that `state-looks.ts` does not know. */
export function State({
  state,
  title,
  look = lookOf(state),
}: {
  readonly state: string;
  readonly title?: string | undefined;
  readonly look?: Look;
}) {
  return (
    <span class={`state ${look.tone}`} title={title}>
      <Icon name={look.icon} />
      {state}
    </span>
  );
}

/** A small remark beside a name. */
export const Tag = ({
  children,
  tone = 'quiet',
  title,
}: {
  readonly children: ComponentChildren;
  readonly tone?: Look['tone'];
  readonly title?: string | undefined;
}) => (
  <span class={`tag ${tone}`} title={title}>
    {children}
  </span>
);
