/**
 * Debian's Chromium for tests of the page: it reaches this machine's loopback and nothing else, keeps nothing, and tells
 * of everything that a page must not do.
 */
import { type BrowserContext, chromium, type Page, type Browser as Process } from 'playwright-core';
import { ensureCommands, findCommand } from './apt.ts';
import { LabError } from './errors.ts';

const OPTIONS = [
  ...['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync', '--disable-quic'],
  // Every other name and address is not found. Names below `.example` stand for those of a stranger's DNS.
  '--host-resolver-rules=MAP *.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
];

/** Chromium tells of it in its console too, but not in words that are sure to stay. */
const TELL_VIOLATIONS = `document.addEventListener('securitypolicyviolation', (event) =>
  console.error('the policy forbids ' + event.effectiveDirective + ' ' + event.blockedURI));`;

/** Milliseconds for what must happen, on the slowest machine. */
const LONGEST_WAIT = 120_000;

export interface VisitOptions {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
  readonly reducedMotion?: 'reduce' | 'no-preference';
  /** Of a browser's settings: `clipboard-read`. */
  readonly permissions?: readonly string[];
  /** A script that runs in each document before its own. */
  readonly setUp?: string;
}

/** One person's browser: cookies and storage of its own. */
export interface Visit extends AsyncDisposable {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Another tab of the same person. */
  tab(): Promise<Page>;
  /**
   * What tabs did that a page must not do: errors in the console, exceptions, violations of the policy, requests to
   * another origin than `origin`.
   */
  problems(origin: string): readonly string[];
}

export interface Browser extends AsyncDisposable {
  visit(options?: VisitOptions): Promise<Visit>;
}

/** Installs Chromium if it is missing. */
export async function startBrowser(): Promise<Browser> {
  await ensureCommands({ chromium: 'chromium' });
  const executablePath = findCommand('chromium');
  if (executablePath === undefined) throw new LabError('There is no chromium.');
  const process = await chromium.launch({ executablePath, args: OPTIONS });
  return {
    visit: (options = {}) => visit(process, options),
    [Symbol.asyncDispose]: () => process.close(),
  };
}

async function visit(
  process: Process,
  { width = 1280, height = 800, permissions = [], setUp = '', ...options }: VisitOptions,
): Promise<Visit> {
  const viewport = { width, height };
  const context = await process.newContext({ viewport, permissions: [...permissions], ...options });
  context.setDefaultTimeout(LONGEST_WAIT);
  await context.addInitScript({ content: `${TELL_VIOLATIONS}\n${setUp}` });
  const errors: string[] = [];
  const requests: string[] = [];
  context.on('console', (message) => {
    if (message.type() === 'error') errors.push(`${message.text()} (${message.location().url})`);
  });
  context.on('weberror', (error) => errors.push(String(error.error())));
  context.on('request', (request) => requests.push(request.url()));
  return {
    ...{ context, page: await context.newPage(), tab: () => context.newPage() },
    problems: (origin) => [
      ...errors,
      ...requests.filter((url) => new URL(url).origin !== origin).map((url) => `asked ${url}`),
    ],
    [Symbol.asyncDispose]: () => context.close(),
  };
}
