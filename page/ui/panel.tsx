/**
 * The parts that screens are made of: heading, panels, facts, chips, fields.
 */

import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { Command } from './copy.tsx';
import { Icon } from './icon.tsx';
import type { IconName } from './icon-paths.ts';
import { queryOf, setQuery } from './router.ts';

/** The heading of a screen. `command`: prints the same. */
export const Heading = ({
  title,
  lead,
  command,
  children,
}: {
  readonly title: ComponentChildren;
  readonly lead?: ComponentChildren;
  readonly command: string;
  /** Beside the title. */
  readonly children?: ComponentChildren;
}) => (
  <header class="heading">
    <div class="title">
      <h1>{title}</h1>
      {children}
    </div>
    <div class="same" title="The command that prints what this screen shows">
      <Command text={command} label="the command for this screen" />
    </div>
    {lead !== undefined && <p class="lead">{lead}</p>}
  </header>
);

/** A section of a screen with its own title. `tools`: at the right of it. */
export function Panel({
  title,
  count,
  tools,
  children,
}: {
  readonly title: string;
  readonly count?: number | undefined;
  readonly tools?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  const id = useId();
  return (
    <section class="panel" aria-labelledby={id}>
      <header>
        <h2 id={id}>
          {title}
          {count !== undefined && <span class="count">{count.toLocaleString('en-US')}</span>}
        </h2>
        {tools}
      </header>
      {children}
    </section>
  );
}

export type Fact = readonly [name: string, value: ComponentChildren];

/** Names and values, one below the other. */
export const Facts = ({ facts }: { readonly facts: readonly Fact[] }) => (
  <dl class="facts">
    {facts.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
);

/** A field that filters by a word of the query. */
export function SearchField({
  name = 'q',
  label,
  placeholder = label,
}: {
  readonly name?: string;
  readonly label: string;
  readonly placeholder?: string;
}) {
  return (
    <label class="search">
      <span class="unseen">{label}</span>
      <Icon name="search" />
      <input
        type="search"
        value={queryOf(name)}
        placeholder={placeholder}
        spellcheck={false}
        autocomplete="off"
        onInput={({ currentTarget }) => setQuery({ [name]: currentTarget.value })}
      />
    </label>
  );
}

export interface Choice {
  /** What stands in the query; empty: the one that counts without a word. */
  readonly value: string;
  readonly label: ComponentChildren;
  readonly count?: number | undefined;
}

/** Buttons of which one is pressed, kept in a word of the query. A second press takes it back. */
export function Choices({
  name,
  label,
  choices,
}: {
  readonly name: string;
  readonly label: string;
  readonly choices: readonly Choice[];
}) {
  const chosen = queryOf(name);
  return (
    <fieldset class="choices">
      <legend class="unseen">{label}</legend>
      {choices.map(({ value, label: text, count }) => (
        <button
          key={value}
          type="button"
          class="chip"
          aria-pressed={chosen === value}
          onClick={() => setQuery({ [name]: chosen === value ? '' : value })}
        >
          {text}
          {count !== undefined && <span class="count">{count.toLocaleString('en-US')}</span>}
        </button>
      ))}
    </fieldset>
  );
}

/** A choice of one in a list, kept in a word of the query. */
export function Select({
  name,
  label,
  choices,
}: {
  readonly name: string;
  readonly label: string;
  readonly choices: readonly (readonly [value: string, text: string])[];
}) {
  return (
    <label class="select">
      <span class="unseen">{label}</span>
      <select
        value={queryOf(name)}
        onChange={({ currentTarget }) => setQuery({ [name]: currentTarget.value })}
      >
        {choices.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
      <Icon name="down" />
    </label>
  );
}

/** The row of filters above a table. */
export const Filters = ({ children }: { readonly children: ComponentChildren }) => (
  <div class="filters">{children}</div>
);

/** A button with a symbol. */
export const Button = ({
  icon,
  onPress,
  children,
  isPressed,
}: {
  readonly icon?: IconName;
  readonly onPress: () => void;
  readonly children: ComponentChildren;
  readonly isPressed?: boolean;
}) => (
  <button
    type="button"
    class="small"
    onClick={onPress}
    {...(isPressed !== undefined && { 'aria-pressed': isPressed })}
  >
    {icon !== undefined && <Icon name={icon} />}
    {children}
  </button>
);
