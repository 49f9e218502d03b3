/**
 * Rules for benchmarks: the same for the same number, so that runs compare.
 */
import { type Acl, parseAcl } from '../../src/domain/acl.ts';
import { resolve } from '../../src/domain/resolve.ts';
import { loadTemplate } from '../../src/rendering/catalog.ts';
import { withFacts } from '../../src/rendering/facts.ts';
import { type Rendered, render } from '../../src/rendering/render.ts';

/** `count` destinations that do not merge, as people write them; `extra` lines come first. */
export function ruleText(count: number, extra: readonly string[] = []): string {
  const lines = Array.from({ length: count }, (_, n) => {
    const [a, b, c] = [n >> 16, (n >> 8) & 255, n & 255];
    return `10.${a + 1}.${b}.${c}:tcp/${1000 + ((n * 7) % 50_000)}`;
  });
  return [...extra, ...lines].join('\n');
}

export const aclOf = (text: string): Acl => parseAcl(new Map([['bench', text]]));

export function renderRules(text: string, template = 'nftables'): Rendered {
  const acl = aclOf(text);
  const { ruleSet } = resolve(['bench'], acl, new Map(), []);
  const input = { allowed: ruleSet, mode: 'enforce', dns: 'resolvers', resolvers: [] } as const;
  // In `denylist` it is the destinations that were not granted that are looked up.
  const isDenylist = template === 'denylist';
  return render(loadTemplate(template), {
    ...input,
    allowed: isDenylist ? { layers: [] } : ruleSet,
    ungranted: isDenylist ? ruleSet : undefined,
  });
}

/** As a loader takes it. */
export const loadable = ({ text }: Rendered): string => withFacts(text, { resolvers: [], attachments: [] });
