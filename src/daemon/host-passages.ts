/**
 * The passages through other firewalls as a feature of the reconciler: they are there while our table needs them.
 */
import type { Logger } from '../common/logger.ts';
import type { Problem } from '../common/problem.ts';
import type { OtherFirewalls } from '../dataplane/other-firewalls.ts';
import type { HostRuleSet } from '../features/host/model.ts';
import { needsPassages, passageProblems } from '../features/host/passages.ts';
import { HOST } from '../inventory/namespace.ts';
import type { Passages } from '../inventory/passages.ts';
import type { FeatureReconciler } from '../reconciler/feature-reconciler.ts';
import type { Reconciler } from '../reconciler/reconciler.ts';
import { steppedDriver } from '../reconciler/steps.ts';

/** Nothing more is to be said of them than that they must be there. */
type Needed = 'needed';

export class HostPassages {
  readonly #states: FeatureReconciler<Needed, Passages>;

  constructor(firewalls: OtherFirewalls, reconciler: Reconciler, log: Logger) {
    this.#states = reconciler.add(driverFor(firewalls), {
      ended: ({ observed }, outcome) => {
        const fields = { passages: observed?.passages.map(({ tool, chain }) => `${tool} ${chain}`) };
        if (outcome === 'applied') log.info(fields, 'other firewalls accept what is forwarded');
        if (outcome === 'released') log.info({}, 'passages removed from other firewalls');
      },
      failed: (_, { message }) => log.error({ error: message }, 'passages could not be made; trying again'),
    });
  }

  sync(rules: HostRuleSet): void {
    const kind = needsPassages(rules) ? 'apply' : 'release';
    this.#states.sync(new Map([[HOST, { kind, desired: 'needed' }]]), () => true);
  }

  /** Looks at them again, and repairs them. */
  verify(): void {
    this.#states.verify(HOST);
  }

  /** Undefined while none are needed, or they were not looked at yet. */
  get observed(): Passages | undefined {
    const { observed, isReleased = true } = this.#states.state(HOST) ?? {};
    return isReleased ? undefined : observed;
  }

  get problems(): readonly Problem[] {
    const { observed } = this;
    return observed === undefined ? [] : passageProblems(observed);
  }
}

const driverFor = (firewalls: OtherFirewalls) =>
  steppedDriver<Needed, Passages, { readonly keep: undefined; readonly remove: undefined }>({
    feature: 'passages',
    isSame: () => true,
    inspect: () => firewalls.check(),
    steps: (desired, { passages }) => {
      if (desired === undefined)
        return passages.some(({ state }) => state !== 'absent')
          ? [{ action: 'remove', with: undefined }]
          : [];
      return passages.some(({ state }) => state !== 'kept') ? [{ action: 'keep', with: undefined }] : [];
    },
    table: { keep: () => firewalls.keep(), remove: () => firewalls.remove() },
  });
