/**
 * The tables of the host's own rules and of networks.json. They may be large and seldom change, so they are made anew
 * only if what they are made of is.
 */
import { type HostAnswer, type HostView, hostAnswer } from '../../diagnostics/host-view.ts';
import type { LiveState } from '../../live/state.ts';
import { byHostClock } from '../facts.ts';
import type { Status } from '../status.ts';
import { reuseEqualEntry } from './reuse.ts';

type HostTables = Pick<LiveState, 'host' | 'networks'>;

export class HostAnswers {
  #last: { readonly inputs: readonly unknown[]; readonly answer: HostAnswer } | undefined;

  /** `offset`: from the controller's clock to the host's, in milliseconds. */
  tables(previous: LiveState, view: HostView, status: Status, offset: number): HostTables {
    return {
      host: reuseEqualEntry(previous.host, 'host', this.#answer(view, offset)),
      networks: reuseEqualEntry(previous.networks, 'networks', status.networks),
    };
  }

  #answer(view: HostView, offset: number): HostAnswer {
    const inputs = inputsOf(view, offset);
    const known = this.#last;
    if (known !== undefined && isEqual(known.inputs, inputs)) return known.answer;
    const answer = hostAnswer(byHostClock(view, offset));
    this.#last = { inputs, answer };
    return answer;
  }
}

/** What the answer is made of: unchanged parts are the same objects, or equal texts. */
const inputsOf = (view: HostView, offset: number): readonly unknown[] => [
  ...[view.state, view.rules, view.fingerprint, view.verifiedAt, view.lastError, view.byHand, offset],
  ...[view.passages, JSON.stringify(view.problems), JSON.stringify(view.unread)],
  ...view.containers,
];

const isEqual = (one: readonly unknown[], other: readonly unknown[]): boolean =>
  one.length === other.length && one.every((value, index) => value === other[index]);
