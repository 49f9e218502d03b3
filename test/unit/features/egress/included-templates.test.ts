/**
 * How templates are found, and what is said when they are not.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { INCLUDED_TEMPLATES, loadTemplate } from '../../../../src/features/egress/included-templates.ts';
import { needsUngranted } from '../../../../src/features/egress/template.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'templates-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('loadTemplate', () => {
  it.each(INCLUDED_TEMPLATES)('finds %s by its name', (name) => {
    expect(loadTemplate(name).name).toBe(name);
    expect(needsUngranted(loadTemplate(name))).toBe(name === 'denylist');
  });

  it('finds a user’s own by its path', async () => {
    const path = join(folder, 'own.hbs');
    await writeFile(path, '# {{comment}}\n');
    expect(loadTemplate(path)).toMatchObject({ name: path, source: '# {{comment}}\n' });
  });

  it('names the known ones for an unknown name', () => {
    expect(() => loadTemplate('nftable')).toThrow(
      'there is no template "nftable": use one of nftables, iptables, denylist, lockdown, or the path of your own',
    );
  });

  it('says why a path cannot be read', () => {
    const path = join(folder, 'none.hbs');
    expect(() => loadTemplate(path)).toThrow(`the template ${path} cannot be read: ENOENT`);
    expect(() => loadTemplate(`${folder}/`)).toThrow(/cannot be read: EISDIR/);
  });

  it('names the path and the line of a mistake', async () => {
    const path = join(folder, 'wrong.hbs');
    await writeFile(path, '# {{comment}}\n{{#if audti}}x{{/if}}\n');
    expect(() => loadTemplate(path)).toThrow(`template ${path}, line 2: the context has no "audti" here`);
  });
});
