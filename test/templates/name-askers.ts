/**
 * The test's side of `name-asker.ts`: names asked inside a namespace, and the text that a proxy needs there.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Namespace } from '../../lab/netns.ts';
import { GRANT_TIMEOUTS, PROXY_ADDRESSES } from '../../src/policy/name-seal.ts';
import { compiled } from '../support/compile-cache.ts';
import type { AskerOperations } from './name-asker.ts';

export interface Asker extends AskerOperations, AsyncDisposable {}

export function startAsker(namespace: Pick<Namespace, 'prefix'>): Asker {
  const [command = '', ...prefix] = namespace.prefix;
  const script = fileURLToPath(new URL('name-asker.ts', import.meta.url));
  const child = spawn(command, [...prefix, process.execPath, script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, ...compiled },
  });
  const waiting = new Map<number, (result: never) => void>();
  let last = 0;
  child.on('message', ({ id, result }: { id: number; result: never }) => waiting.get(id)?.(result));
  const call = <Result>(name: keyof AskerOperations, args: readonly unknown[]): Promise<Result> =>
    new Promise((resolve) => {
      waiting.set(++last, resolve);
      child.send({ id: last, name, args });
    });
  return {
    udp: (...args) => call('udp', args),
    tcp: (...args) => call('tcp', args),
    flood: (...args) => call('flood', args),
    answer: (...args) => call('answer', args),
    bind: (...args) => call('bind', args),
    race: (...args) => call('race', args),
    [Symbol.asyncDispose]: async () => {
      if (child.connected) child.disconnect();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

const SETS = [4, 6] as const;

const commands = (number: number, family: 4 | 6): readonly string[] => {
  const set = `@names${family}_${number}`;
  const address = `@th,224,${family === 4 ? 32 : 128}`;
  const grants = GRANT_TIMEOUTS.map(
    (timeout, step) =>
      `@th,208,16 ${(family << 8) | (1 + step)} update ${set} { ${address} timeout ${timeout}s } drop`,
  );
  return [...grants, `@th,208,16 ${family << 8} delete ${set} { ${address} } drop`].map(
    (rule) => `@th,192,16 ${number} ${rule}`,
  );
};

/** Rules that redirect questions and take grants, and nothing else. */
export const namesText = (
  port: number,
  secret: Uint8Array,
  numbers: readonly number[],
  { size = 65_536, elements = '' } = {},
): string => `
table inet names_test
delete table inet names_test
table inet names_test {
${numbers
  .flatMap((number) =>
    SETS.map(
      (family) =>
        `set names${family}_${number} { type ipv${family}_addr; size ${size}; flags dynamic, timeout; ${elements && family === 4 ? `elements = { ${elements} };` : ''} }`,
    ),
  )
  .join('\n')}
  set alive { type inet_proto; size 4; flags dynamic, timeout; timeout 15s; }
  chain first {
    type filter hook output priority raw - 1; policy accept;
    ip daddr ${PROXY_ADDRESSES[4]} udp dport ${port} @th,64,128 0x${Buffer.from(secret).toString('hex')} goto seal
    meta l4proto { tcp, udp } th dport 53 ct original zone set 53
  }
  chain seal {
    @th,192,16 0xffff update @alive { meta l4proto } drop
    ${numbers.flatMap((number) => SETS.flatMap((family) => commands(number, family))).join('\n    ')}
    @th,64,128 set 0 accept
  }
  chain questions {
    type nat hook output priority -101; policy accept;
    oif "lo" return
    meta nfproto ipv4 meta l4proto { tcp, udp } th dport 53 dnat ip to ${PROXY_ADDRESSES[4]}:${port}
    meta nfproto ipv6 meta l4proto { tcp, udp } th dport 53 dnat ip6 to [${PROXY_ADDRESSES[6]}]:${port}
  }
}
`;
