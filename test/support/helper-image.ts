/**
 * The helper image, as this checkout's Dockerfile says, but on a Debian without Node.js, which helpers do not need: an
 * Engine of a test has it in a third of the time. The image on the base that the Dockerfile names is built by the tests
 * of the documents.
 */
import { readFileSync } from 'node:fs';
import type { Engine } from '../../lab/engine.ts';
import { makeDebianTar } from '../../lab/images/debian.ts';
import { ensureImage, type Recipe } from '../../lab/images/import.ts';
import { inCheckout } from '../../lab/paths.ts';

export const ensureTestImage = ({ socketPath }: Pick<Engine, 'socketPath'>): Promise<string> =>
  ensureImage(helperRecipe(readFileSync(inCheckout('Dockerfile'), 'utf8')), socketPath);

function helperRecipe(dockerfile: string): Recipe {
  const helper = between(dockerfile.replaceAll(/\\\n/g, ' '), ' AS helper\n', '\nFROM ');
  const packages = between(helper, '--no-install-recommends ', ' &&').trim().split(/\s+/);
  const [, ...copied] = (/^COPY .*$/m.exec(helper)?.[0] ?? '').split(' ');
  const target = copied.pop() ?? '';
  return {
    ...{ name: 'helper', tag: 'test' },
    ingredients: [...packages, ...copied.map((file) => readFileSync(inCheckout(file), 'utf8')), target],
    changes: [
      'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      ...(helper.match(/^(LABEL|ENTRYPOINT|CMD) .*$/gm) ?? []),
    ],
    makeTar: (file) => makeDebianTar(file, { packages, hooks: hooksFor(copied, target) }),
  };
}

/** What no helper uses: each Engine imports the rest in half the time. */
const UNUSED = ['usr/share/zoneinfo', 'usr/lib/*/gconv', 'var/lib/dpkg/info', 'var/cache/debconf'];

const hooksFor = (files: readonly string[], folder: string): readonly string[] => [
  ...UNUSED.map((path) => `rm -rf "$1"/${path}`),
  `mkdir -p "$1${folder}"`,
  ...files.map((file) => `copy-in ${inCheckout(file)} ${folder}`),
  `chmod -R 755 "$1${folder}"`,
];

/** Throws if the Dockerfile was changed so that this does not find its parts. */
function between(text: string, start: string, end: string): string {
  const [, rest] = text.split(start);
  const [found] = rest?.split(end) ?? [];
  if (found === undefined) throw new Error(`the Dockerfile has no text between "${start}" and "${end}"`);
  return found;
}
