/**
 * The parts that uninstall would remove or has removed, as text.
 */

import type { Style } from '../../format/style.ts';
import type { Part, StepResult } from '../uninstall/step.ts';

const TITLES: Readonly<Record<Part, string>> = {
  gate: 'gate',
  rules: 'rules',
  routes: 'routes',
  helpers: 'helpers',
  cgroup: 'cgroup',
  state: 'state folder',
  run: 'run folder',
  image: 'images',
  keys: 'keys',
  status: 'status',
  registration: 'registration',
};

const WIDTH = Math.max(...Object.values(TITLES).map((title) => title.length));

interface PlanOptions {
  readonly withKeys: boolean;
  /** There was a networks.json. */
  readonly hasNetworks: boolean;
  readonly style: Style;
}

export function formatPlan(
  steps: readonly StepResult[],
  { withKeys, hasNetworks, style }: PlanOptions,
): string {
  const present = steps.filter(({ state }) => state === 'present');
  const left = steps.filter(({ state }) => state === 'left');
  const keys =
    'Data in Consul stays (--keys removes the ACL keys and ingress keys, which all hosts share, and the data of this host).';
  return [
    present.length === 0 ? 'Nothing of egresstrator was found on this host.' : 'This would be removed:',
    ...linesOf(present),
    ...left.map((one) => style('red', `${titled(one.part)}${one.what}: ${one.reason ?? ''}`)),
    ...(withKeys ? [] : [keys]),
    ...(hasNetworks ? [NETWORKS_STAY] : []),
    ...(present.some(({ part }) => part === 'rules')
      ? [
          'Containers without rules can reach everything that their network allows, and be called by anyone there.',
        ]
      : []),
  ].join('\n');
}

const NETWORKS_STAY =
  "Docker's networks that were made for networks.json stay, and containers stay attached to them (docker network disconnect, docker network rm).";

export function formatResults(steps: readonly StepResult[], style: Style): string {
  const removed = steps.filter(({ state }) => state === 'removed');
  const left = steps.filter(({ state }) => state === 'left');
  return [
    ...(removed.length === 0 ? [] : ['Removed:', ...linesOf(removed)]),
    ...(left.length === 0 ? [] : ['Left:']),
    ...left.map((one) => style('red', `${titled(one.part)}${one.what}: ${one.reason ?? ''}`)),
  ].join('\n');
}

/** One line for each part. */
function linesOf(steps: readonly StepResult[]): readonly string[] {
  const parts = [...new Set(steps.map(({ part }) => part))];
  return parts.map((part) => {
    const all = steps.filter((one) => one.part === part).map(({ what }) => what);
    return `${titled(part)}${all.join(', ')}`;
  });
}

const titled = (part: Part): string => `  ${TITLES[part].padEnd(WIDTH)}  `;
