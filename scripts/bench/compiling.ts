/** Compile and render: the time from the parsed keys to the text, and the time to load it into the kernel. */
import { execa } from 'execa';
import { createNamespaces } from '../../lab/netns.ts';
import { loadTemplate } from '../../src/features/egress/included-templates.ts';
import { render } from '../../src/features/egress/render.ts';
import type { Instance } from '../../src/inventory/service.ts';
import { parseAcl } from '../../src/policy/acl.ts';
import { compile } from '../../src/policy/compile.ts';
import { type Figure, medianOf } from './measure.ts';
import { aclOf, loadable, renderRules, ruleText } from './rules.ts';

const group = 'compile, render, load';

export async function benchCompiling(counts: readonly number[]): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const count of counts) figures.push(await compileRules(count));
  figures.push(await compileServices(1000, 10));
  for (const count of counts) figures.push(...(await loadRules(count)));
  return figures;
}

const template = loadTemplate('nftables');

async function compileRules(count: number): Promise<Figure> {
  const acl = aclOf(ruleText(count));
  const value = await medianOf(5, () => compileAndRender(acl, new Map(), ['bench']));
  const target = count === 10_000 ? { target: '≤ 1', floor: 100, floorName: 'ms allowed' } : {};
  return { group, what: `compile and render ${count} rules`, value, unit: 'ms', ...target };
}

async function compileServices(services: number, instances: number): Promise<Figure> {
  const names = Array.from({ length: services }, (_, n) => `service-${n}`);
  const catalog = new Map(names.map((name, n) => [name, instancesOf(n, instances)]));
  const acl = parseAcl(new Map([['bench', names.join('\n')]]));
  const value = await medianOf(5, () => compileAndRender(acl, catalog, ['bench']));
  return { group, what: `the same for ${services} services of ${instances} instances`, value, unit: 'ms' };
}

const instancesOf = (service: number, count: number): readonly Instance[] =>
  Array.from({ length: count }, (_, n) => ({
    ...{ address: `10.${100 + (service >> 8)}.${service & 255}.${n + 1}`, port: 8000 + n },
    ...{ tags: ['production'], node: 'n' },
  }));

type Inputs = Parameters<typeof compile>;

function compileAndRender(acl: Inputs[1], catalog: Inputs[2], grants: Inputs[0]): void {
  const { ruleSet } = compile(grants, acl, catalog, []);
  const how = { mode: 'enforce', dns: 'resolvers', resolvers: [], ungranted: undefined } as const;
  render(template, { allowed: ruleSet, ...how });
}

/** Loads by the program of the loaders, compared with `nft -f` of the same elements. */
async function loadRules(count: number): Promise<readonly Figure[]> {
  await using set = await createNamespaces(2);
  const [target] = set.namespaces;
  const [command = '', ...args] = target?.prefix ?? [];
  const rendered = renderRules(ruleText(count));
  const input = loadable(rendered);
  const elements = input.match(/^ {6}\S.*,$/gm) ?? [];
  const type = `type ipv4_addr . inet_proto . inet_service; size ${elements.length};`;
  const again = 'table inet hand {}\ndelete table inet hand\n';
  const byHand = `${again}table inet hand { set s { ${type} elements = { ${elements.join('')} }; }; }\n`;
  const floor = await medianOf(3, () => execa(command, [...args, 'nft', '-f', '-'], { input: byHand }));
  const base = { group, unit: 'ms', floor, floorName: 'ms nft -f' };
  const facts = ['interfaces={ "lo", "eth0" }', 'onlink6={ ::1 }', 'settled=1'].flatMap((fact) => [
    '-D',
    fact,
  ]);
  const enforced = await medianOf(3, () => execa(command, [...args, 'nft', ...facts, '-f', '-'], { input }));
  const whole = await medianOf(3, () =>
    execa(command, [...args, 'sh', 'dataplane/netns', 'load', 'egress'], { input }),
  );
  const goal = count === 10_000 ? { target: '≤ 1.5' } : {};
  return [
    { ...base, what: `${count} rules, until they are in force`, value: enforced, ...goal },
    { ...base, what: `${count} rules, the whole run, with what the kernel holds read back`, value: whole },
  ];
}
