/**
 * `node scripts/complete-lock.mjs`: adds to package-lock.json the optional packages of other platforms
 * that are missing from it; with `--check`, only lists them (exit code 1).
 *
 * `npm install` may write a lock file for one platform only, which `npm ci` then rejects everywhere.
 * The added packages have no integrity hash, because they were not fetched; npm skips a package on
 * other platforms than its own.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const file = 'package-lock.json';
const systems = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const processors = [
  'arm64',
  'arm',
  'ia32',
  'loong64',
  'mips64el',
  'ppc64',
  'riscv64',
  's390x',
  'wasm32',
  'x64',
];

const lock = JSON.parse(readFileSync(file, 'utf8'));
const missing = Object.entries(lock.packages).flatMap(missingOf);

if (process.argv.includes('--check')) {
  for (const [path] of missing)
    console.error(`${file} lacks ${path}: run \`node scripts/complete-lock.mjs\`.`);
  process.exitCode = missing.length > 0 ? 1 : 0;
} else if (missing.length > 0) {
  const entries = [...Object.entries(lock.packages), ...missing];
  lock.packages = Object.fromEntries(entries.sort(([a], [b]) => a.localeCompare(b, 'en')));
  writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`);
  console.log(`Added ${missing.length} packages of other platforms to ${file}.`);
}

function missingOf([parent, { optionalDependencies = {}, dev }]) {
  return Object.entries(optionalDependencies)
    .filter(([name, version]) => !isLocked(parent, name) && /^\d+\.\d+\.\d+[\w.+-]*$/.test(version))
    .map(([name, version]) => [
      `node_modules/${name}`,
      { version, ...platformOf(name), ...(dev ? { dev } : {}), optional: true },
    ]);
}

/** As Node resolves it: in the parent's own node_modules, or in one above. */
function isLocked(parent, name) {
  const steps = parent.split('/node_modules/');
  const folders = steps.map((_, index) => steps.slice(0, index + 1).join('/node_modules/'));
  return ['', ...folders.map((folder) => `${folder}/`)].some(
    (folder) => lock.packages[`${folder}node_modules/${name}`],
  );
}

function platformOf(name) {
  const words = name.split(/[/_.-]/);
  const [os, cpu] = [systems, processors].map((known) => known.find((word) => words.includes(word)));
  const libc = words.includes('musl') ? 'musl' : words.includes('gnu') ? 'glibc' : undefined;
  return { ...(cpu && { cpu: [cpu] }), ...(libc && { libc: [libc] }), ...(os && { os: [os] }) };
}
