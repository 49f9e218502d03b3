/**
 * `templates/README.md` is where people read what a template may say: it must not fall behind.
 */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { CONTEXT_SHAPE } from '../../../../src/features/egress/context.ts';
import { INCLUDED_TEMPLATES } from '../../../../src/features/egress/included-templates.ts';
import { fieldOf, isList, type Shape } from '../../../../src/rendering/shape.ts';

const readme = readFileSync(new URL('../../../../templates/README.md', import.meta.url), 'utf8');

const namesIn = (shape: Shape): readonly string[] => {
  if (isList(shape)) return namesIn(shape.list);
  if (typeof shape === 'string') return [];
  return Object.keys(shape.fields).flatMap((name) => [name, ...namesIn(fieldOf(shape, name) ?? 'text')]);
};

it.each([...new Set(namesIn(CONTEXT_SHAPE))])('tells of the field %s', (name) => {
  expect(readme).toMatch(new RegExp(`\`(?:(?:resolvers|names)\\.)?${name}\`|\`${name}\\.`));
});

it.each(INCLUDED_TEMPLATES)('tells of the template %s', (name) => {
  expect(readme).toContain(`| \`${name}\``);
});
