/**
 * Helper images whose program is not ours, to see what the Engine lets a helper do and what becomes of one
 * that misbehaves; and small texts.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ruleset } from '../../src/inventory/ruleset.ts';
import { buildImageWith, type DockerLab } from './docker-lab.ts';

/** A ruleset of egress in the form that loaders take; it changes nothing for the packets. */
export const smallRuleset = (fingerprint: string): Ruleset => ({
  owner: 'egress',
  fingerprint,
  text: `table inet egresstrator_egress {}
delete table inet egresstrator_egress
table inet egresstrator_egress {
  comment "egresstrator v1 ${fingerprint}"
  set denied4 { type ipv4_addr . inet_proto . inet_service; flags dynamic, timeout; timeout 1h; }
  chain facts {
    meta mark 0x1234abcd counter
  }
}
# end
`,
});

export const brokenRuleset: Ruleset = {
  ...smallRuleset('ff'),
  text: smallRuleset('ff').text.replace('counter', 'nonsense'),
};

/** An image in which `netns` is this shell script, which finds the command in $1. */
export async function imageWithProgram(lab: DockerLab, name: string, script: string): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), 'egresstrator-'));
  const folder = join(root, 'usr/local/lib/egresstrator');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'netns'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, 'netns'), 0o755);
  try {
    return await buildImageWith(lab, name, root);
  } finally {
    rmSync(root, { recursive: true });
  }
}
