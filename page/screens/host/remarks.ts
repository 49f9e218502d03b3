/**
 * What an operator must know of the host apart from its workloads, each with the screen that says more. Pure.
 */
import { list, many } from '../../../src/format/values.ts';
import type { LiveState } from '../../../src/live/state.ts';
import { lookOf, type Tone } from '../../ui/state-looks.ts';

export interface Remark {
  readonly tone: Tone;
  readonly text: string;
  /** The address of a screen. */
  readonly more?: string | undefined;
}

type Tables = Pick<LiveState, 'controller' | 'ingress' | 'host' | 'networks'>;

export const hostRemarks = (tables: Tables): readonly Remark[] => [
  ...ofController(tables),
  ...ofCallers(tables),
  ...ofHost(tables),
  ...ofNetworks(tables),
];

function ofController({ controller }: Tables): readonly Remark[] {
  const { unreadable = [], keysUnknown } = controller.get('controller') ?? {};
  return [
    ...(unreadable.length === 0
      ? []
      : [{ tone: 'bad', text: `The Engine cannot inspect ${list(unreadable)}.` } as const]),
    ...(keysUnknown === undefined
      ? []
      : [{ tone: 'warn', text: `The keys are not known: ${keysUnknown}.` } as const]),
  ];
}

const ofCallers = ({ ingress }: Tables): readonly Remark[] =>
  [...ingress.values()]
    .filter(({ state }) => lookOf(state).tone === 'bad')
    .map(({ target, state, lastError }) => ({
      ...{ tone: 'bad', more: `/workloads/${encodeURIComponent(target)}` },
      text: `Rules about the callers of ${target} do not hold (${state})${lastError === undefined ? '' : `: ${lastError}`}.`,
    }));

function ofHost({ host }: Tables): readonly Remark[] {
  const { state, lastError, problems = [] } = host.get('host') ?? {};
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  return [
    ...(state === 'failed'
      ? [
          {
            ...({ tone: 'bad', more: '/host' } as const),
            text: `The rules of the host could not be loaded${lastError === undefined ? '' : `: ${lastError}`}.`,
          },
        ]
      : []),
    ...(errors === 0
      ? []
      : [
          {
            tone: 'warn',
            more: '/host',
            text: `The rules of the host have ${many(errors, 'error')}.`,
          } as const,
        ]),
  ];
}

function ofNetworks({ networks }: Tables): readonly Remark[] {
  const found = networks.get('networks');
  if (found === undefined) return [];
  const { path, error, attachments, policies, routes } = found;
  const entries = [...found.networks, ...attachments, ...policies, ...routes];
  const failed = entries.filter(({ state }) => lookOf(state).tone === 'bad').length;
  return [
    ...(error === undefined ? [] : [{ tone: 'bad', more: '/networks', text: `${path}: ${error}.` } as const]),
    ...(failed === 0
      ? []
      : [
          {
            ...({ tone: 'warn', more: '/networks' } as const),
            text: `${path}: ${many(failed, 'entry')} of it ${failed === 1 ? 'has' : 'have'} no effect as written.`,
          },
        ]),
  ];
}
