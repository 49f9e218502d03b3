/**
 * Rule sets and texts from a few words, for the tests of templates.
 */

import type { RenderInput } from '../../src/features/egress/context.ts';
import { INCLUDED_TEMPLATES, loadTemplate } from '../../src/features/egress/included-templates.ts';
import { render } from '../../src/features/egress/render.ts';
import type { EgressTemplate } from '../../src/features/egress/template.ts';
import { parseRule } from '../../src/policy/rule.ts';
import { canonical, type RuleSet } from '../../src/policy/rule-set.ts';
import type { Rendered } from '../../src/rendering/fingerprint.ts';

/** `ruleSet('10.0.0.0/8:tcp/80', '[fd00::]/8:udp')` */
export const ruleSet = (...lines: readonly string[]): RuleSet =>
  canonical(
    lines.map((line) => {
      const parsed = parseRule(line);
      if (parsed === undefined || !('rule' in parsed) || parsed.rule.kind !== 'address') {
        throw new Error(`"${line}" is no address rule`);
      }
      return parsed.rule;
    }),
  );

export const NOTHING: RenderInput = {
  allowed: ruleSet(),
  ungranted: ruleSet(),
  mode: 'enforce',
  dns: 'resolvers',
  resolvers: [],
};

/** Each once: to compile one takes forty times as long as a text. */
const included: ReadonlyMap<string, EgressTemplate> = new Map(
  INCLUDED_TEMPLATES.map((name) => [name, loadTemplate(name)]),
);
const templateOf = (name: string): EgressTemplate => included.get(name) ?? loadTemplate(name);

/** `template`: one that ships, by its name, or any other. */
export const renderWith = (template: string | EgressTemplate, input: Partial<RenderInput> = {}): Rendered =>
  render(typeof template === 'string' ? templateOf(template) : template, { ...NOTHING, ...input });
