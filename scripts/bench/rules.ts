/**
 * Rules for benchmarks: the same for the same number, so that runs can be compared.
 */

import { withFacts } from '../../src/features/egress/facts.ts';
import { loadTemplate } from '../../src/features/egress/included-templates.ts';
import { render } from '../../src/features/egress/render.ts';
import { type Acl, parseAcl } from '../../src/policy/acl.ts';
import { compile } from '../../src/policy/compile.ts';
import type { Rendered } from '../../src/rendering/fingerprint.ts';

/** A rule names one address and one port, or a prefix and one port. */
export type Kind = 'destinations' | 'prefixes';

/** `count` of a kind that do not merge, as people write them; `extra` lines come first. */
export function ruleText(count: number, extra: readonly string[] = [], kind: Kind = 'destinations'): string {
  const lines = Array.from(
    { length: count },
    (_, n) => `${targetOf[kind](n)}:tcp/${1000 + ((n * 7) % 50_000)}`,
  );
  return [...extra, ...lines].join('\n');
}

const targetOf: Readonly<Record<Kind, (n: number) => string>> = {
  destinations: (n) => `10.${(n >> 16) + 1}.${(n >> 8) & 255}.${n & 255}`,
  prefixes: (n) => `10.${(n >> 13) + 1}.${(n >> 5) & 255}.${(n & 31) * 8}/29`,
};

export const aclOf = (text: string): Acl => parseAcl(new Map([['bench', text]]));

export function renderRules(text: string, template = 'nftables'): Rendered {
  const acl = aclOf(text);
  const { ruleSet } = compile(['bench'], acl, new Map(), []);
  const input = { allowed: ruleSet, mode: 'enforce', dns: 'resolvers', resolvers: [] } as const;
  // `denylist` looks up the destinations that are not granted.
  const isDenylist = template === 'denylist';
  return render(loadTemplate(template), {
    ...input,
    allowed: isDenylist ? { layers: [] } : ruleSet,
    ungranted: isDenylist ? ruleSet : undefined,
  });
}

/** The text as loaders need it. */
export const loadable = ({ text }: Rendered): string => withFacts(text, { resolvers: [], attachments: [] });
