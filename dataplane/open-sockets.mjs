/**
 * Opens the sockets by which names are served in a network namespace. It is run inside that namespace by nsenter,
 * hands the sockets over to the process that started it, and ends: they stay in their namespace.
 *
 * Plain JavaScript, because it is run as a file, the same beside src and beside dist. src/name-proxy/open-sockets.ts
 * starts it, and checks what it sends.
 */
import { createSocket } from 'node:dgram';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** Of IPv4, where questions are redirected to; of IPv6 there is only ::1. */
const ADDRESS = '127.83.83.53';
/** A workload may have bound a port of UDP that the kernel chose for TCP. */
const ATTEMPTS = 20;

const listen = (host, port) =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true, ipv6Only: true }, () => resolve(server));
  });

const bind = (type, address, port) =>
  new Promise((resolve, reject) => {
    const socket = createSocket({ type, ipv6Only: type === 'udp6' });
    socket.once('error', reject);
    socket.bind({ address, port, exclusive: true }, () => resolve(socket));
  });

const send = (message, handle) =>
  new Promise((resolve, reject) => {
    process.send(message, handle, (error) => (error ? reject(error) : resolve()));
  });

/** Whether `::1` is there. */
const hasLoopback6 = () => {
  try {
    return /^0{31}1 /m.test(readFileSync('/proc/net/if_inet6', 'utf8'));
  } catch {
    return false;
  }
};

const withIpv6 = hasLoopback6();

/** All four sockets at one port; undefined if one of them is taken. */
async function openAt(wanted) {
  const opened = [];
  try {
    opened.push({ kind: 'tcp', handle: await listen(ADDRESS, wanted) });
    const { port } = opened[0].handle.address();
    opened.push({ kind: 'udp', handle: await bind('udp4', ADDRESS, port) });
    if (withIpv6) {
      opened.push({ kind: 'tcp', handle: await listen('::1', port) });
      opened.push({ kind: 'udp', handle: await bind('udp6', '::1', port) });
    }
    return { port, opened };
  } catch (error) {
    for (const { handle } of opened) handle.close();
    if (error.code === 'EADDRINUSE') return undefined;
    throw error;
  }
}

async function openServers(wanted) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const servers = await openAt(attempt === 0 ? wanted : 0);
    if (servers !== undefined) return servers;
  }
  throw new Error(`each of ${ATTEMPTS} ports was taken`);
}

/** For Docker's resolver, at the wanted port if that is free. */
async function openDocker(wanted) {
  try {
    return await bind('udp4', '127.0.0.1', wanted);
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error;
    return await bind('udp4', '127.0.0.1', 0);
  }
}

const { port: wantedPort, dockerPort, cgroup } = JSON.parse(process.argv[2]);
try {
  // A socket belongs to the cgroup of the process that creates it, and goes on to do so.
  if (cgroup !== undefined) writeFileSync(cgroup, '0');
  const { port, opened } = await openServers(wantedPort);
  for (const { kind, handle } of opened) await send({ kind }, handle);
  await send({ kind: 'grants' }, await bind('udp4', ADDRESS, 0));
  const docker = await openDocker(dockerPort);
  await send({ kind: 'docker' }, docker);
  await send({ kind: 'done', port, dockerPort: docker.address().port, hasIpv6: withIpv6 });
} catch (error) {
  await send({ kind: 'failed', reason: error.message });
  process.exitCode = 1;
}
process.disconnect();
process.exit();
