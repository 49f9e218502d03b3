/**
 * Where the lab keeps its things: what is worth keeping (packages, images, engines' data) in a folder
 * of the checkout, what dies with the machine (sockets) in /run.
 *
 * Sockets are not in the checkout because a unix socket's address may hold 107 bytes at most.
 */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';

const checkout = resolve(import.meta.dirname, '..');

/** The lab's folder: `$EGRESSTRATOR_LAB_DIR`, else `.lab` in the checkout. */
export function labDir(env: NodeJS.ProcessEnv = process.env): string {
  return resolve(env.EGRESSTRATOR_LAB_DIR ?? join(checkout, '.lab'));
}

/** A folder inside the lab's folder, made if it is missing. */
export function labFolder(...names: string[]): string {
  return made(join(labDir(), ...names));
}

/** Shared by all labs of this machine: which engine holds which address block. */
export function machineRunFolder(): string {
  const isRoot = process.getuid?.() === 0;
  return made(isRoot ? '/run/egresstrator-lab' : join(tmpdir(), `egresstrator-lab-${userInfo().uid}`));
}

/** A folder for the sockets of this lab alone. */
export function labRunFolder(...names: string[]): string {
  const lab = createHash('sha256').update(labDir()).digest('hex').slice(0, 8);
  return made(join(machineRunFolder(), lab, ...names));
}

/** The program files' folders, also those that are on root's PATH only. */
export function searchPath(env: NodeJS.ProcessEnv = process.env): string {
  return [env.PATH, '/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin'].filter(Boolean).join(':');
}

export function inCheckout(...names: string[]): string {
  return join(checkout, ...names);
}

function made(path: string): string {
  mkdirSync(path, { recursive: true });
  return path;
}
