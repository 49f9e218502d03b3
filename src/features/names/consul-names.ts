/**
 * The names in Consul's domain of the services that rules name: the services themselves, and what their SRV records
 * lead to. Rules by service say which addresses can be reached.
 */
import { formatName, type Name, nameKey, parseName } from '../../dns/name.ts';
import { type Instance, serviceName } from '../../inventory/service.ts';
import { parseAddress, WIDTH } from '../../net/address.ts';
import type { ServiceRule } from '../../policy/service-rule.ts';

/** As `nameKey` writes them. `domain`: mostly `consul`. */
export const consulNames = (
  rules: readonly ServiceRule[],
  instancesOf: (service: string) => readonly Instance[],
  domain: Name,
): ReadonlySet<string> => {
  const texts = rules.flatMap((rule) => {
    const place = [...(rule.datacenter === undefined ? [] : [rule.datacenter]), formatName(domain)].join('.');
    const targets = instancesOf(serviceName(rule)).flatMap(targetsOf);
    return [...servicesOf(rule), ...targets].map((text) => `${text}.${place}`);
  });
  return new Set(texts.flatMap(keyOf));
};

/** With its tag and without, and as RFC 2782 has it. */
const servicesOf = ({ service, tag }: ServiceRule): readonly string[] => [
  `${service}.service`,
  ...(tag === undefined ? [] : [`${tag}.${service}.service`, `_${service}._${tag}.service`]),
  ...['tcp', 'udp'].map((protocol) => `_${service}._${protocol}.service`),
];

/** The names in SRV records: of the node, or of the address in hexadecimal digits. */
const targetsOf = ({ node, address }: Instance): readonly string[] => {
  const parsed = parseAddress(address);
  if (parsed === undefined) return [`${node}.node`];
  const digits = parsed.address.toString(16).padStart(WIDTH[parsed.family] / 4, '0');
  return [`${node}.node`, `${digits}.addr`];
};

/** Services in Consul may have names that are none of DNS. */
const keyOf = (text: string): readonly string[] => {
  const parsed = parseName(text);
  return 'name' in parsed ? [nameKey(parsed.name)] : [];
};
