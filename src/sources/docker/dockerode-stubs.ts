/**
 * Stubs for parts of dockerode that we never use: SSH, and BuildKit's sessions. They take half of its load time (70
 * ms) and 17 MB. Import this before dockerode. The bundle (scripts/bundle.ts) leaves these parts out itself.
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
