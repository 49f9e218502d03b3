/**
 * What the Public Suffix List says of a name: where anyone can register names, and where many customers of one
 * provider share addresses.
 */
import { parse } from 'tldts';
import type { Name } from '../dns/name.ts';

export interface Registry {
  /** `co.uk`, `github.io`: names directly below belong to different people. */
  readonly suffix: string;
  /** Under whom: a registry of domains, a provider's customers, or nobody known. */
  readonly kind: 'domains' | 'hosting' | 'unknown';
  /** The name is itself a suffix. */
  readonly isSuffix: boolean;
}

export const registryOf = (name: Name): Registry => {
  const text = name.join('.');
  const { publicSuffix, isIcann, isPrivate } = parse(text, {
    allowPrivateDomains: true,
    extractHostname: false,
    validateHostname: false,
  });
  const kind = isPrivate === true ? 'hosting' : isIcann === true ? 'domains' : 'unknown';
  return { suffix: publicSuffix ?? text, kind, isSuffix: publicSuffix === text };
};
