/**
 * A container's forwards as rules for iptables-restore.
 */
import { describe, expect, it } from 'vitest';
import { bridgesOf } from '../../../../src/features/host/bridges.ts';
import { publishedForwards } from '../../../../src/features/host/forwards.ts';
import { iptablesRules, restoreText, rulesIn } from '../../../../src/features/host/iptables-rules.ts';
import type { PortBinding } from '../../../../src/inventory/network.ts';
import { NETWORKS, port, web } from '../../../support/host-inventory.ts';

const BRIDGES = bridgesOf(NETWORKS, { guarded: 'none', masquerades: false });

const rules = (family: 4 | 6, ...ports: readonly PortBinding[]) =>
  iptablesRules(publishedForwards([web({ ports })], NETWORKS), BRIDGES, {
    family,
    chain: 'DOCKER_CONTAINERS',
  });

describe('the rules of a container', () => {
  it('forward each binding, accept what was forwarded, and let neighbours call', () => {
    const ports = [
      port('0.0.0.0/0', 8080, 80),
      port('198.51.100.1', 8081, 80),
      port('0.0.0.0/0', 53, 53, 'udp'),
    ];
    expect(restoreText(rules(4, ...ports), 'A')).toBe(`*nat
-A DOCKER_CONTAINERS -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.18.0.2:80
-A DOCKER_CONTAINERS -d 198.51.100.1 -p tcp -m tcp --dport 8081 -j DNAT --to-destination 172.18.0.2:80
-A DOCKER_CONTAINERS -p udp -m udp --dport 53 -j DNAT --to-destination 172.18.0.2:53
-A POSTROUTING -s 172.18.0.0/16 -d 172.18.0.2 -o br-front -p tcp -m tcp --dport 80 -m conntrack --ctstate DNAT -j MASQUERADE
-A POSTROUTING -s 172.18.0.0/16 -d 172.18.0.2 -o br-front -p udp -m udp --dport 53 -m conntrack --ctstate DNAT -j MASQUERADE
COMMIT
*filter
-A FORWARD -d 172.18.0.2 -p tcp -m tcp --dport 80 -m conntrack --ctstate DNAT -j ACCEPT
-A FORWARD -d 172.18.0.2 -p udp -m udp --dport 53 -m conntrack --ctstate DNAT -j ACCEPT
COMMIT
`);
  });

  it('lead IPv6 to an address of IPv6, and nothing where there is none', () => {
    expect(rules(6, port('::/0', 8080, 80)).nat[0]).toBe(
      'DOCKER_CONTAINERS -p tcp -m tcp --dport 8080 -j DNAT --to-destination [fd00:18::2]:80',
    );
    expect(rules(6, port('0.0.0.0/0', 8080, 80))).toEqual({ family: 6, nat: [], filter: [] });
  });

  it('never open a port of loopback', () => {
    expect(restoreText(rules(4, port('127.0.0.1', 8080, 80)), 'A')).toBeUndefined();
  });

  it('are as many as a range has ports', () => {
    const ports = Array.from({ length: 1_000 }, (_, index) =>
      port('0.0.0.0/0', 20_000 + index, 30_000 + index),
    );
    expect(rules(4, ...ports).filter).toHaveLength(1_000);
  });

  it('are read again from what was written, to be deleted', () => {
    const { nat, filter } = rules(4, port('0.0.0.0/0', 8080, 80));
    const text = `# a comment\n${restoreText({ nat, filter }, 'A') ?? ''}`;
    expect(rulesIn(text)).toEqual({ nat, filter });
    expect(restoreText({ nat, filter }, 'D')).toContain('\n-D FORWARD -d 172.18.0.2 ');
  });
});
