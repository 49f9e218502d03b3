/**
 * The demo's step about rules by DNS name, with a DNS server of its own on loopback that knows one name.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { RCODE, TYPE } from '../src/dns/codes.ts';
import { formatName } from '../src/dns/name.ts';
import { parseQuestion, type Question } from '../src/dns/question.ts';
import { buildReply, NODATA, type Reply } from '../src/dns/reply.ts';
import { observe, title } from './demo-steps.ts';

const NAME = 'api.demo.example';

export interface DemoNames {
  /** `127.0.0.1:port`, for `--names-upstream`. */
  readonly endpoint: string;
  /** The address that the name leads to from now on. */
  lead(address: string): void;
  close(): void;
}

export async function serveDemoNames(): Promise<DemoNames> {
  let address = '';
  const socket = createSocket('udp4');
  socket.on('message', (message, { port, address: asker }) => {
    const parsed = parseQuestion(message);
    if (!('question' in parsed)) return;
    const { question } = parsed;
    socket.send(buildReply(question, replyTo(question, address), 'udp'), port, asker);
  });
  await once(socket.bind(0, '127.0.0.1'), 'listening');
  return {
    endpoint: `127.0.0.1:${socket.address().port}`,
    lead: (to) => {
      address = to;
    },
    close: () => socket.close(),
  };
}

const replyTo = ({ name, type }: Question, address: string): Reply => {
  if (formatName(name) !== NAME) return { rcode: RCODE.NXDOMAIN, records: [] };
  if (type !== TYPE.A) return NODATA;
  const data = new Uint8Array(address.split('.').map(Number));
  return { rcode: RCODE.NOERROR, records: [{ name, type, ttl: 60, data }] };
};

interface Parts {
  readonly names: DemoNames;
  readonly server: string;
  put(rules: string): Promise<void>;
  /** The answer of a lookup in the workload. */
  lookup(name: string): Promise<string>;
  reaches(port: number): Promise<boolean>;
}

export async function tourOfNames({ names, server, put, lookup, reaches }: Parts): Promise<void> {
  const rule = `${NAME}@${server}:tcp/8080`;
  title(`A name: the key says ${rule}`);
  names.lead(server);
  await put(rule);
  await observe(`${NAME} is answered`, async () => (await lookup(NAME)).includes(server));
  await observe('port 8080 of its address is reached', () => reaches(8080));
  await observe('port 8081 is refused', async () => !(await reaches(8081)));
  await observe('no other name is answered', async () => !(await lookup(`other.${NAME}`)).includes(server));
}
