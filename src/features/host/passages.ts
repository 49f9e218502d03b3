/**
 * When the host's other firewalls need a passage for our packets, and what an operator must do where we cannot make one.
 */
import type { Problem } from '../../common/problem.ts';
import type { Passage, Passages } from '../../inventory/passages.ts';
import type { HostRuleSet } from './model.ts';

/** Only such packets get the mark: see `templates/host.hbs`. */
export const needsPassages = ({ forwards, permits, bridges }: HostRuleSet): boolean =>
  forwards.length > 0 || permits.length > 0 || bridges.some(({ masqueraded }) => masqueraded.length > 0);

export const passageProblems = ({ passages, dropping, lacking, failing }: Passages): readonly Problem[] => [
  ...dropping
    .filter((chain) => !passages.some((one) => isAwaited(one, chain)))
    .map((chain) => warning(chain, dropReason(chain))),
  ...lacking.map((tool) =>
    warning(
      tool,
      `this host has a table that only ${tool} can change, and ${tool} is missing, so that firewall may drop what published ports forward; install the package iptables`,
    ),
  ),
  ...failing.map((tool) =>
    warning(
      tool,
      `${tool} cannot change its table, as another program made that in a form of its own; if it drops what is forwarded, let that program accept packets with the mark 0x64000000/0xfe000000`,
    ),
  ),
];

/**
 * True for a chain that drops only until its passage is made: that was seen before, and is no problem. A passage that cannot
 * be made is one of its own.
 */
const isAwaited = ({ tool, state }: Passage, chain: string): boolean =>
  state !== 'kept' && chain === `${tool.startsWith('ip6') ? 'ip6' : 'ip'} filter FORWARD`;

const dropReason = (chain: string): string =>
  chain.startsWith('inet firewalld ')
    ? `firewalld rejects (${chain}) what containers send unless their bridge is in a zone that accepts; for each such bridge run \`firewall-cmd --permanent --zone=trusted --add-interface=<bridge>\`, then \`firewall-cmd --reload\``
    : `the chain ${chain} of another firewall drops what is forwarded, and so what published ports forward; let it accept our packets first: \`nft insert rule ${chain} 'meta mark & 0xfe000000 == 0x64000000 accept'\``;

const warning = (text: string, reason: string): Problem => ({ severity: 'warning', text, reason });
