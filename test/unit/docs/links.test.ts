/** A link in a document leads to a file that is there, and to a heading that this file has. */
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
