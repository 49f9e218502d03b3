/**
 * The elements that templates lay out.
 */
import { describe, expect, it } from 'vitest';
import { contentOf, splitResolvers } from '../../../../src/features/egress/context.ts';
import { trafficContext } from '../../../../src/policy/traffic-context.ts';
import { NOTHING, ruleSet } from '../../../templates/rules.ts';

const ALL = () => true;

describe('trafficContext', () => {
  it('sorts elements by kind and prints each', () => {
    const rules = [
      '10.0.0.0/8:tcp/80-90',
      '192.0.2.1:udp/53',
      '10.0.0.0/8:icmp/8',
      '[::]/0:tcp',
      '[fd00::1]:icmp/128-129',
    ];
    expect(trafficContext(ruleSet(...rules), ALL)).toEqual({
      ipv4: [
        { suffix: '_exact', exact: true, size: '1', elements: ['192.0.2.1 . udp . 53'] },
        { suffix: '', exact: false, size: '1', elements: ['10.0.0.0/8 . tcp . 80-90'] },
      ],
      ipv6: [{ suffix: '', exact: false, size: '1', elements: ['::/0 . tcp . 0-65535'] }],
      icmp4: [{ suffix: '', exact: false, size: '1', elements: ['10.0.0.0/8 . 8'] }],
      icmp6: [{ suffix: '', exact: false, size: '1', elements: ['fd00::1 . 128-129'] }],
      xtables: [
        '-4 -d 10.0.0.0/8 -p tcp --dport 80:90',
        '-4 -d 192.0.2.1 -p udp --dport 53',
        '-4 -d 10.0.0.0/8 -p icmp --icmp-type 8',
        '-6 -d ::/0 -p tcp --dport 0:65535',
        '-6 -d fd00::1 -p icmpv6 --icmpv6-type 128',
        '-6 -d fd00::1 -p icmpv6 --icmpv6-type 129',
      ],
    });
  });

  it('says all types of ICMP in one match', () => {
    const { xtables } = trafficContext(ruleSet('10.0.0.1:icmp', '[fd00::1]:icmp'), ALL);
    expect(xtables).toEqual(['-4 -d 10.0.0.1 -p icmp', '-6 -d fd00::1 -p icmpv6']);
  });

  it('numbers layers by their place, and leaves out those with nothing of a kind', () => {
    const [tcp = []] = ruleSet('10.0.0.1:tcp/1-2').layers;
    const [six = []] = ruleSet('[fd00::1]:tcp/1-2').layers;
    const { ipv4, ipv6 } = trafficContext({ layers: [tcp, six, tcp] }, ALL);
    expect(ipv4.map(({ suffix }) => suffix)).toEqual(['', '_2']);
    expect(ipv6.map(({ suffix }) => suffix)).toEqual(['_1']);
  });

  it('puts what names one address and one number in one set, in front, whatever its layer', () => {
    const [first = []] = ruleSet('10.0.0.1:tcp/1,3-4', '10.0.0.1:icmp/8', '10.0.0.2/31:tcp/1').layers;
    const [second = []] = ruleSet('10.0.0.1:tcp/1', '10.0.0.1:udp/1').layers;
    const { ipv4, icmp4 } = trafficContext({ layers: [first, second] }, ALL);
    expect(ipv4).toEqual([
      {
        ...{ suffix: '_exact', exact: true, size: '2' },
        elements: ['10.0.0.1 . tcp . 1', '10.0.0.1 . udp . 1'],
      },
      {
        ...{ suffix: '', exact: false, size: '2' },
        elements: ['10.0.0.1 . tcp . 3-4', '10.0.0.2/31 . tcp . 1'],
      },
    ]);
    expect(icmp4).toEqual([{ suffix: '_exact', exact: true, size: '1', elements: ['10.0.0.1 . 8'] }]);
  });

  it('prints only what somebody will look at', () => {
    const context = trafficContext(ruleSet('10.0.0.1:tcp/1', '[fd00::1]:tcp/1'), (field) => field === 'ipv6');
    expect(context).toMatchObject({ ipv4: [], ipv6: [{ elements: ['fd00::1 . tcp . 1'] }], xtables: [] });
  });
});

describe('splitResolvers', () => {
  it('sorts by family and address, and leaves out what is no address', () => {
    expect(
      splitResolvers(['192.0.2.9', 'fd00::2', '10.0.0.1', 'FD00:0::2', 'localhost', '127.0.0.11']),
    ).toEqual({
      ipv4: ['10.0.0.1', '127.0.0.11', '192.0.2.9'],
      ipv6: ['fd00::2'],
    });
  });
});

describe('contentOf', () => {
  it('turns words into flags', () => {
    expect(contentOf(NOTHING, new Set())).toMatchObject({ audit: false, dns: true, inbound: '0x1' });
    expect(contentOf({ ...NOTHING, mode: 'audit', dns: 'none' }, new Set())).toMatchObject({
      audit: true,
      dns: false,
    });
  });
});
