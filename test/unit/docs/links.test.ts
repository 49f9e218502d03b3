/** Links in documents lead to files and headings that exist, and docs/architecture.md names files that exist. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { inCheckout } from '../../../lab/paths.ts';

const documents = [
  ...['README.md', 'SECURITY.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'templates/README.md', 'lab/README.md'],
  ...readdirSync(inCheckout('docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** As GitHub makes anchors of headings. */
const anchorsOf = (text: string): readonly string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );

function leadsNowhere(document: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const file = inCheckout(path === '' ? document : join(dirname(document), path));
  if (!existsSync(file)) return true;
  if (anchor === undefined || statSync(file).isDirectory()) return false;
  return !anchorsOf(readFileSync(file, 'utf8')).includes(anchor);
}

test.each(documents)('%s', (document) => {
  const text = readFileSync(inCheckout(document), 'utf8').replace(/^```.*?^```/gms, '');
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  const own = links.filter((link) => !/^https?:/.test(link));
  expect(own.filter((link) => leadsNowhere(document, link))).toEqual([]);
});

test('docs/architecture.md names source files that exist', () => {
  const text = readFileSync(inCheckout('docs/architecture.md'), 'utf8');
  const named = [...text.matchAll(/`([\w./-]+\.(?:ts|awk|cjs))`/g)].map(([, name = '']) => name);
  const files = ['src', 'gate', 'test'].flatMap((folder) =>
    readdirSync(inCheckout(folder), { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`),
  );
  const exists = (name: string) =>
    files.some((path) => `/${path}`.endsWith(`/${name}`)) || existsSync(inCheckout(name));
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((name) => !exists(name))).toEqual([]);
});
