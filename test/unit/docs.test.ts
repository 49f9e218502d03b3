/**
 * The documents, the help and the program name the same commands, options and variables: whoever copies a line
 * from a document gets what it says.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CommanderError } from 'commander';
import { describe, expect, test } from 'vitest';
import { shapesOf, translateLegacy } from '../../src/cli/legacy-arguments.ts';
import { ALL_OPTIONS, type OptionSpec } from '../../src/config/options.ts';
import { SETTINGS } from '../../src/inventory/workload.ts';
import { commandsOf, silentProgram } from '../support/program.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(`${root}${path}`, 'utf8');
const documents = [
  'README.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'templates/README.md',
  ...readdirSync(`${root}docs`)
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

const specs: readonly OptionSpec[] = Object.values(ALL_OPTIONS);
const shapes = shapesOf(silentProgram());
const own = new Set(shapes.map(({ long }) => long));

/** Options in the documents that belong to other programs, and which. */
const FOREIGN: Readonly<Record<string, string>> = {
  '--add-runtime': 'dockerd',
  '--branch': 'git',
  '--bridge-accept-fwmark': 'dockerd',
  '--build': 'docker compose',
  '--cap-add': 'docker',
  '--cap-drop': 'docker',
  '--cgroupns': 'docker',
  '--checkpoint': 'docker',
  '--comment': 'iptables',
  '--ctstate': 'iptables',
  '--default-runtime': 'dockerd',
  '--detach': 'docker compose',
  '--device-cgroup-rule': 'docker',
  '--dns': 'docker',
  '--dport': 'iptables',
  '--expose': 'docker',
  '--internal': 'docker network',
  '--ip-forward': 'dockerd',
  '--ip-range': 'docker',
  '--ip6tables': 'dockerd',
  '--iptables': 'dockerd',
  '--mark': 'iptables',
  '--match-set': 'iptables',
  '--minutes': 'npm run soak',
  '--name': 'docker',
  '--net': 'nsenter',
  '--network': 'docker',
  '--now': 'systemctl',
  '--only': 'npm run bench',
  '--pid': 'docker',
  '--privileged': 'docker',
  '--project': 'vitest',
  '--quick': 'npm run bench',
  '--read-only': 'docker',
  '--reload': 'firewall-cmd',
  '--restart': 'docker',
  '--rm': 'docker',
  '--security-opt': 'docker',
  '--sysctl': 'docker',
  '--stop': 'docker compose',
  '--tags': 'git',
  '--target': 'docker build',
  '--to-destination': 'iptables',
  '--ulimit': 'docker',
  '--user': 'docker',
  '--userland-proxy': 'dockerd',
  '--volume': 'docker',
  '--volumes': 'docker compose',
};

/** Variables of the project's own scripts and tests, and where each is read. */
const OF_SCRIPTS: Readonly<Record<string, string>> = {
  EGRESSTRATOR_WRITE_FILES: 'deploy/docker-iptables',
  EGRESSTRATOR_ESCAPE_ENGINE: 'test/escape/escape.test.ts',
};

const optionsIn = (text: string) => new Set(text.match(/(?<![\w-])--[a-z][a-z0-9-]*[a-z0-9]/g) ?? []);
const variablesIn = (text: string) => new Set(text.match(/\b(?:EGRESSTRATOR|CONSUL)_[A-Z_]*[A-Z]/g) ?? []);

describe.each(documents)('%s', (document) => {
  const text = read(document);

  test('names options that there are', () => {
    const unknown = [...optionsIn(text)].filter((name) => !own.has(name) && !Object.hasOwn(FOREIGN, name));
    expect(unknown).toEqual([]);
  });

  test('names variables that there are', () => {
    const known = new Set([
      ...specs.flatMap(({ variable }) => variable ?? []),
      ...SETTINGS.map(({ variable }) => variable),
      ...Object.keys(OF_SCRIPTS),
    ]);
    expect([...variablesIn(text)].filter((name) => !known.has(name))).toEqual([]);
  });

  test('calls commands that there are, in the way that they are called', async () => {
    for (const words of callsIn(text)) expect(await refusalOf(words), words.join(' ')).toBe('');
  });
});

test('what is listed above for other programs is needed', () => {
  const all = documents.map(read).join('\n');
  expect(Object.keys(FOREIGN).filter((name) => !optionsIn(all).has(name) || own.has(name))).toEqual([]);
  for (const [name, path] of Object.entries(OF_SCRIPTS)) expect(read(path)).toContain(name);
});

test('every option of every command is in a document for operators', () => {
  const documented = optionsIn(
    ['commands', 'operating', 'gate', 'uninstalling'].map((name) => read(`docs/${name}.md`)).join('\n'),
  );
  expect([...own].filter((name) => !documented.has(name))).toEqual([]);
});

test('every command is in a document for operators', () => {
  const text = ['commands', 'operating', 'gate', 'uninstalling']
    .map((name) => read(`docs/${name}.md`))
    .join('\n');
  const names = silentProgram().commands.map((command) => command.name());
  expect(names.filter((name) => !new RegExp(`\\begresstrator ${name}\\b`).test(text))).toEqual([]);
});

test('the table of options tells of each what the help tells', () => {
  const rows = new Map(
    read('docs/operating.md')
      .split('\n')
      .flatMap((line) => {
        const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
        const name = /^`([^`]+)`$/.exec(cells[1] ?? '')?.[1];
        cells[4] = cells[4]?.replaceAll('`', '') ?? '';
        return name?.includes('--') ? [[name, cells.slice(2, 5)] as const] : [];
      }),
  );
  for (const { flags, variable, fallback, help } of specs) {
    const cell = (text: string | undefined) => (text === undefined ? '–' : `\`${text}\``);
    expect([flags, rows.get(flags)]).toEqual([flags, [cell(variable), cell(fallback), help]]);
  }
});

test('the examples in help are calls that are understood', async () => {
  const printed: string[] = [];
  for (const command of commandsOf(silentProgram())) {
    // A description that is broken may begin a line with our name.
    command.configureOutput({ writeOut: (text) => printed.push(text), getOutHelpWidth: () => 1_000 });
    command.outputHelp();
  }
  const calls = callsIn(`\`\`\`\n${printed.join('\n')}\n\`\`\``);
  expect(calls.length).toBeGreaterThan(15);
  for (const words of calls) expect(await refusalOf(words), words.join(' ')).toBe('');
});

/** The words after `egresstrator` in code: in lines of blocks, and in spans. */
function callsIn(text: string): readonly (readonly string[])[] {
  const blocks = [...text.matchAll(/^```[a-z]*\n(.*?)^```/gms)].map(([, block = '']) => block);
  const indented = text.split('\n').filter((line) => /^ {4}\S/.test(line));
  const spans = [...text.replace(/^```.*?^```/gms, '').matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
  const lines = [...blocks.flatMap((block) => block.split('\n')), ...indented, ...spans];
  return lines.flatMap((line) => {
    const [, call] = /^\s*(?:\$ )?egresstrator(?: (.*))?$/.exec(line) ?? [];
    return call === undefined || /^v?\d|^on |…|\w\|\w/.test(call) ? [] : [wordsOf(call)];
  });
}

/** As a shell splits them, up to a comment, a remark in the next column, or a redirection. */
const wordsOf = (call: string): readonly string[] =>
  call
    .replace(/ {2,}[^-\s].*$|\s+#.*$|\s+[<>|].*$/g, '')
    .split(' ')
    .filter((word) => word !== '');

/** What the program says against these words; nothing if it understands them. */
async function refusalOf(words: readonly string[]): Promise<string> {
  const printed: string[] = [];
  const program = silentProgram(undefined, (text) => printed.push(text));
  try {
    await program.parseAsync(translateLegacy(words, shapes), { from: 'user' });
    return '';
  } catch (error) {
    if (!(error instanceof CommanderError)) return String(error);
    return error.exitCode === 0 ? '' : `${printed.join('')}${error.message}`;
  }
}
