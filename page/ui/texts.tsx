/**
 * What a screen says where it has nothing else to show: that it waits, that there is nothing, or what went wrong.
 */
import type { ComponentChildren } from 'preact';
import type { Problem as ProblemValue } from '../../src/common/problem.ts';
import { State } from './state.tsx';

export const Loading = ({ what = 'the state of this host' }: { readonly what?: string }) => (
  <p class="empty" role="status">
    Waiting for {what} …
  </p>
);

export const Empty = ({ children }: { readonly children: ComponentChildren }) => (
  <p class="empty">{children}</p>
);

/** One that stops the screen. */
export const Trouble = ({ children }: { readonly children: ComponentChildren }) => (
  <p class="trouble" role="alert">
    {children}
  </p>
);

/** A remark in a box. */
export const Note = ({
  tone = 'quiet',
  children,
}: {
  readonly tone?: 'quiet' | 'watch' | 'warn' | 'bad' | 'good';
  readonly children: ComponentChildren;
}) => <p class={`note ${tone}`}>{children}</p>;

/** Problems of rules, keys and containers. `whose`: leads to where they are. */
export const Problems = ({
  problems,
  whose,
}: {
  readonly problems: readonly ProblemValue[];
  readonly whose?: ((problem: ProblemValue) => ComponentChildren) | undefined;
}) => (
  <ul class="findings">
    {problems.map((problem) => (
      <li key={JSON.stringify(problem)}>
        <State state={problem.severity} />
        <div>
          <p class="where">
            {whose?.(problem)}
            {placeOf(problem)}
          </p>
          <p>{problem.reason}</p>
        </div>
      </li>
    ))}
  </ul>
);

const placeOf = ({ key, line, text }: ProblemValue): string =>
  [
    ...(key === undefined ? [] : [`key ${key}`]),
    ...(line === undefined ? [] : [`line ${line}`]),
    ...(text === undefined ? [] : [`(${text})`]),
  ].join(' ');
