/**
 * Empty modules for parts of dockerode that we never use: SSH, and the sessions of BuildKit. They take half of its
 * load time, 70 ms, and 17 MB. To be imported before it. What is built
 * (scripts/bundle.ts) leaves them out itself.
 */
import { createRequire, Module } from 'node:module';

export const UNUSED = ['@grpc/grpc-js', '@grpc/proto-loader', 'protobufjs', 'ssh2'] as const;

const ours = createRequire(import.meta.url);
const library = createRequire(ours.resolve('dockerode'));
const modem = createRequire(library.resolve('docker-modem'));

for (const name of UNUSED) {
  const path = (name === 'ssh2' ? modem : library).resolve(name);
  ours.cache[path] ??= Object.assign(new Module(path), { loaded: true });
}
