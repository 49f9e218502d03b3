/**
 * Free ports for programs that must be told theirs. They lie below the kernel's ephemeral range, so
 * that no outgoing connection takes one between the look and the use.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { LabError } from './errors.ts';

const lowest = 20_000;
const count = 12_000;

/** Distinct ports that are free for TCP and UDP on `host`. */
export async function freePorts(howMany: number, host = '127.0.0.1'): Promise<number[]> {
  const found = new Set<number>();
  for (let tries = 0; tries < 500 && found.size < howMany; tries++) {
    const port = lowest + Math.floor(Math.random() * count);
    if (!found.has(port) && (await isFree(port, host))) found.add(port);
  }
  if (found.size < howMany) throw new LabError(`Found no ${howMany} free ports on ${host}.`);
  return [...found];
}

async function isFree(port: number, host: string): Promise<boolean> {
  return (await tcpIsFree(port, host)) && (await udpIsFree(port, host));
}

async function tcpIsFree(port: number, host: string): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, host), 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

async function udpIsFree(port: number, host: string): Promise<boolean> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  try {
    socket.bind(port, host);
    await once(socket, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}
