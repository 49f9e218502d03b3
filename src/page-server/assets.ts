/**
 * The files of the page, read once and kept in memory as browsers want them: whole, and compressed.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { UserError } from '../common/errors.ts';

export interface Asset {
  readonly type: string;
  readonly etag: string;
  readonly cache: string;
  readonly identity: Buffer;
  /** Undefined where compressing gains nothing. */
  readonly gzip: Buffer | undefined;
  readonly br: Buffer | undefined;
}

/** By path, `/assets/main.js`. */
export type Assets = ReadonlyMap<string, Asset>;

export const INDEX = '/index.html';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json; charset=utf-8',
  '.woff2': 'font/woff2',
};
const OTHER = 'text/plain; charset=utf-8';
const IS_COMPRESSED = new Set(['.png', '.woff2']);

/** A name with a digest of its content, as the bundler writes it. */
const HASHED = /-[A-Z0-9]{8}\.\w+$/;

/** Throws a `UserError` if `folder` has no page. */
export function readAssets(folder: string): Assets {
  const assets = new Map(filesIn(folder).map((path) => [`/${relative(folder, path)}`, assetOf(path)]));
  if (!assets.has(INDEX))
    throw new UserError(`the page is not in ${folder}: build it first by \`npm run build\``);
  return assets;
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
  } catch {
    return [];
  }
}

function assetOf(path: string): Asset {
  const identity = readFileSync(path);
  const isPlain = IS_COMPRESSED.has(extname(path));
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
  return {
    type: TYPES[extname(path)] ?? OTHER,
    etag: `"${createHash('sha256').update(identity).digest('base64url').slice(0, 22)}"`,
    cache: HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
    identity,
    gzip: isPlain ? undefined : gzipSync(identity, { level: 9 }),
    br: isPlain ? undefined : brotliCompressSync(identity, quality),
  };
}

export type Encoding = 'br' | 'gzip' | 'identity';

/** The best form that the browser accepts. */
export function encodingFor(asset: Asset, accepted: string): Encoding {
  const words = accepted.split(',').map((one) => one.trim().toLowerCase());
  const takes = (name: string) =>
    words.some((word) => word === name || (word.startsWith(`${name};`) && !/;\s*q=0(\.0*)?$/.test(word)));
  if (asset.br !== undefined && takes('br')) return 'br';
  return asset.gzip !== undefined && takes('gzip') ? 'gzip' : 'identity';
}
