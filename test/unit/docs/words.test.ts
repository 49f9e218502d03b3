/**
 * One word for one thing, and the field's word. Words that the project gave up must not come back, in names or in prose:
 * docs/architecture.md has a glossary of those in use.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { inCheckout } from '../../../lab/paths.ts';

/** Anywhere, as a word or as a part of a name. */
const GONE: Readonly<Record<string, string>> = {
  allowance: 'AllowEntry, entry',
  allowances: 'entries',
  bells: 'CatalogWatch',
  bulletin: 'HostStatus',
  canary: 'SourceHealth',
  carve: 'subtract, excludeProtected',
  closers: 'AsyncDisposableStack, closing',
  frayed: 'tooFragmented',
  grantee: 'Workload',
  hollow: 'difference',
  hopeless: 'unsupported',
  judge: 'lint, validate, decide',
  judgement: 'LintResult, validation',
  keeper: 'reconciler',
  knowledge: 'state',
  lookings: 'searches',
  mighty: 'privileged',
  outsiders: 'unsupported workloads',
  patience: 'timeout',
  patrol: 'PeriodicScanner',
  refusal: 'denied destination, HTTP error, rejection',
  refusals: 'destinations, rejections',
  rehearse: 'testLoad',
  revisits: 'WorkQueue',
  rhythm: 'timing',
  rival: 'replacedBy',
  shelf: 'bucket',
  shelves: 'buckets',
  sieve: 'filter',
  sighting: 'condition',
  tidier: 'HelperCleanup',
  unasked: 'notEnabled, unsolicited',
  unsayable: 'notExpressible',
  untold: 'unread',
  verdict: 'outcome, decision, validation',
  viewpoint: 'PolicyView',
  visits: 'throttle, reads',
};

/** As a part of a name; in prose they are English. */
const GONE_FROM_NAMES: Readonly<Record<string, string>> = {
  crowd: 'many',
  ear: 'listener',
  endure: 'assertRecovers',
  flock: 'services',
  former: 'previous, earlier',
  heard: 'received',
  knowledge: 'state',
  lately: 'recently',
  noted: 'recorded',
  outage: 'RetryQueue, failure',
  presence: 'registration',
  refusal: 'denial, rejection',
  refusals: 'denials, rejections',
  rivals: 'two controllers',
  said: 'output, message',
  saying: 'answer',
  scene: 'setup',
  stage: 'fixture',
  stampede: 'reconnect',
  survey: 'CatalogReader',
  told: 'output, reported, message',
  trials: 'cases',
  world: 'fixture, fakes',
  worlds: 'fixtures',
};

/** As a part of a name in tests. */
const GONE_FROM_TESTS: Readonly<Record<string, string>> = {
  patience: 'timeout',
};

/** In `src`, in names and in prose; elsewhere they are English. */
const GONE_FROM_SRC: Readonly<Record<string, string>> = {
  former: 'previous',
  refused: 'denied (a packet), unsupported (a workload), rejected (a request), forbidden (by ACLs)',
  remember: 'persist, record, cache',
  remembered: 'persisted, recorded, cached',
  rights: 'permissions',
};

/** The response code of DNS, and the option that chooses it. */
const RESPONSE_CODE = /\bREFUSED\b|'refused'|<refused\|/g;

/** Whole phrases, anywhere. */
const GONE_PHRASES: Readonly<Record<string, string>> = {
  'can not': 'cannot',
};

const FOLDERS = ['src', 'gate', 'dataplane', 'templates', 'deploy', 'docs', 'lab', 'scripts', 'bin', 'page'];
const FILES = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'docker-compose.yml',
  'Dockerfile',
];
const IS_TEXT = /(?:\.(?:tsx?|css|mjs|md|hbs|awk|sh|yml|json|service)|\/[a-z-]+|Dockerfile)$/;

const below = (folder: string): readonly string[] =>
  readdirSync(inCheckout(folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => `${parentPath}/${name}`.slice(inCheckout('').length).replace(/^\//, ''));

const texts = [...FOLDERS.flatMap(below), ...FILES].filter((path) => IS_TEXT.test(path));
const tests = below('test').filter((path) => !path.startsWith('test/vectors/'));

/** A screen of the page has the name of a word that was given up for data. */
const SCREEN = /\/picture\b|\bPicture\b|\bpicture\.png\b/g;

/** The words of a text or a name: `hasTooOld`, `has_too_old` and `has too old` have the same three. */
const wordsOf = (text: string): ReadonlySet<string> =>
  new Set((text.match(/[A-Z]?[a-z]+|[A-Z]+(?![a-z])/g) ?? []).map((word) => word.toLowerCase()));

/** What a file of TypeScript declares. */
const namesOf = (text: string): string =>
  [...text.matchAll(/\b(?:const|let|function|class|interface|type|enum|readonly|get|async)\s+#?(\w+)/g)]
    .map(([, name]) => name)
    .join(' ');

const found = (words: ReadonlySet<string>, gone: Readonly<Record<string, string>>): readonly string[] =>
  Object.keys(gone).filter((word) => words.has(word));

const advice = (path: string, word: string, instead: string | undefined): string =>
  `${path}: "${word}" (write: ${instead})`;

test('no word stands anywhere that was given up', () => {
  expect(
    texts.flatMap((path) =>
      found(wordsOf(`${path} ${readFileSync(inCheckout(path), 'utf8')}`.replace(SCREEN, '')), GONE).map(
        (word) => advice(path, word, GONE[word]),
      ),
    ),
  ).toEqual([]);
});

test('no word stands in src that was given up there', () => {
  expect(
    texts
      .filter((path) => path.startsWith('src/'))
      .flatMap((path) =>
        found(
          wordsOf(`${path} ${readFileSync(inCheckout(path), 'utf8').replace(RESPONSE_CODE, '')}`),
          GONE_FROM_SRC,
        ).map((word) => advice(path, word, GONE_FROM_SRC[word])),
      ),
  ).toEqual([]);
});

test('no name holds a word that was given up for names', () => {
  const gone = { ...GONE, ...GONE_FROM_NAMES };
  expect(
    texts.flatMap((path) => {
      const names = /\.tsx?$/.test(path) ? namesOf(readFileSync(inCheckout(path), 'utf8')) : '';
      return found(wordsOf(`${path} ${names}`), gone).map((word) => advice(path, word, gone[word]));
    }),
  ).toEqual([]);
});

test('no file of tests and no name in one holds a word that was given up', () => {
  const gone = { ...GONE, ...GONE_FROM_NAMES, ...GONE_FROM_TESTS };
  expect(
    tests.flatMap((path) => {
      const names = /\.tsx?$/.test(path) ? namesOf(readFileSync(inCheckout(path), 'utf8')) : '';
      return found(wordsOf(`${path} ${names}`), gone).map((word) => advice(path, word, gone[word]));
    }),
  ).toEqual([]);
});

test('no phrase stands anywhere that was given up', () => {
  const own = 'test/unit/docs/words.test.ts';
  const all = [...texts, ...tests.filter((path) => path.endsWith('.ts') && path !== own)];
  expect(
    all.flatMap((path) => {
      const text = readFileSync(inCheckout(path), 'utf8').replace(/\s+(?:\*|#|\/\/)?\s*/g, ' ');
      return Object.keys(GONE_PHRASES)
        .filter((phrase) => text.includes(phrase))
        .map((phrase) => advice(path, phrase, GONE_PHRASES[phrase]));
    }),
  ).toEqual([]);
});
