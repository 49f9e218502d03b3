/** What nft lists of rules by name, in the forms of its versions. */
import { expect, test } from 'vitest';
import { parseElements, parseTable } from '../../../src/name-proxy/names-listing.ts';
import { formatPrefix } from '../../../src/net/address.ts';

/** `rule`: how the version prints the lookup of a granted address. */
const table = (rule: string, docker = 'udp sport 40777 socket cgroupv2 level 1 "egt" return') => `
table inet egresstrator_egress {
	comment "egresstrator v1 71db128e54027ad3304c332191766fdf"
	set names4_3920 {
		typeof @nh,128,32
		flags dynamic,timeout
	}

	set names6_3920 {
		typeof @nh,192,128
		flags dynamic,timeout
	}

	set kept4_3920 {
		typeof @nh,128,32
	}

	set names4_443 {
		typeof @nh,128,32
		flags dynamic,timeout
	}

	chain sealed {
		ip daddr 127.83.83.53 @th,64,128 0x112233445566778899aabbccddeeff goto seal
	}

	chain to_proxy {
		type nat hook output priority -101; policy accept;
		ip saddr 127.0.0.1 ip daddr 127.0.0.11 ${docker}
		meta nfproto ipv4 meta l4proto { tcp, udp } th dport 53 dnat ip to 127.83.83.53:40123
		meta nfproto ipv6 meta l4proto { tcp, udp } th dport 53 dnat ip6 to [::1]:40123
	}

	chain allowed {
		ip daddr . meta l4proto . th dport @allowed4 ct mark set 0x00000001 accept
		tcp dport { 80, 443, 8000-8100 } ${rule}3920 ct mark set 0x00000002 accept
		tcp dport { 80, 443, 8000-8100 } ip6 daddr @names6_3920 ct mark set 0x00000002 accept
		meta nfproto ipv4 udp dport 443 ${rule}443 ct mark set 0x00000002 accept
	}
}`;

test.each(['ip daddr @names4_', 'meta nfproto ipv4 @nh,128,32 @names4_'])(
  'the table tells the secret, the ports and the classes (%s)',
  (rule) => {
    const { secret, ...rest } = parseTable(table(rule)) ?? {};
    expect(Buffer.from(secret ?? []).toString('hex')).toBe('00112233445566778899aabbccddeeff');
    expect(rest).toEqual({
      ...{ port: 40_123, dockerPort: 40_777 },
      numbers: new Map([
        ['tcp/80,443,8000-8100', 3920],
        ['udp/443', 443],
      ]),
    });
  },
);

test("a text in which nothing asks Docker's resolver gets a port for it all the same", () => {
  expect(parseTable(table('ip daddr @names4_', 'udp sport 0 return'))?.dockerPort).toBe(40_124);
});

test.each([
  ['nothing', ''],
  ['rules without names', 'table inet egresstrator_egress {\n\tchain output {\n\t}\n}'],
  ['no secret', table('ip daddr @names4_').replace(/@th,64,128.*/, '')],
  ['no redirection', table('ip daddr @names4_').replaceAll('dnat', 'snat')],
])('%s counts as none', (_what, listing) => {
  expect(parseTable(listing)).toBeUndefined();
});

test('the sets tell each address and the time that is left', () => {
  const listing = `table inet egresstrator_egress {
	set names4_3920 {
		typeof @nh,128,32
		flags dynamic,timeout
		elements = { 0x0 timeout 1s expires 500ms, 0x1010101 timeout 1m expires 58s960ms,
			     0xfe020304 timeout 1d expires 23h59m1s }
	}
}
table inet egresstrator_egress {
	set names6_3920 {
		typeof @nh,192,128
		flags dynamic,timeout
		elements = { 0x26060000000000000000000000000001 timeout 60s expires 2s }
	}
}
table inet egresstrator_egress {
	set names4_443 {
		typeof @nh,128,32
		flags dynamic,timeout
	}
}`;
  const found = parseElements(listing).map(({ address, ...rest }) => ({
    ...rest,
    to: formatPrefix(address),
  }));
  expect(found).toEqual([
    { number: 3920, to: '1.1.1.1', left: 58_960 },
    { number: 3920, to: '254.2.3.4', left: 86_341_000 },
    { number: 3920, to: '2606::1', left: 2_000 },
  ]);
});
