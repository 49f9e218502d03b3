/**
 * Findings in SARIF 2.1.0, for code scanning (docs.oasis-open.org/sarif/sarif/v2.1.0).
 */
import type { Finding, Severity } from '../../diagnostics/finding.ts';

const LEVELS: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  error: 'error',
  warning: 'warning',
  info: 'note',
};

const MEANING: Readonly<Record<Finding['code'], string>> = {
  'bad-line': 'A line is not a valid rule and has no effect.',
  'host-bits': 'A prefix has host bits, which are set to zero.',
  'host-name': 'A service with a tag looks like a host name.',
  protected: 'A prefix includes a protected address, which it does not allow.',
  service: 'A service that a rule names grants nothing.',
  broad: 'A rule is very broad.',
  duplicate: 'Two lines are equal.',
  shadowed: 'Other lines allow all that a line allows.',
  'empty-key': 'A key has no rule.',
  'missing-key': 'A workload asks for a key that Consul does not have.',
  'unused-key': 'No running workload asks for a key.',
  'not-enabled': 'A container names keys without EGRESSTRATOR_ENABLE=1.',
  'foreign-rules': 'The namespace of a workload has filter rules of other programs.',
  'host-rules': "The host's rules have a problem.",
  'networks-file': 'networks.json has a problem.',
  'hidden-caller': 'Ingress rules cannot see the address of some callers.',
  'closed-port': 'A published port is closed by the ports guard.',
  name: 'A rule by name allows more than it seems to, or nothing.',
};

/** The folders of ACL keys and of ingress keys in Consul. */
export interface Folders {
  readonly kvPath: string;
  readonly ingressPath: string;
}

/** `folders`: undefined if the findings are about files. */
export const sarifOf = (findings: readonly Finding[], folders: Folders | undefined, version: string) => ({
  $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
  version: '2.1.0',
  runs: [
    {
      tool: {
        driver: {
          name: 'egresstrator',
          version,
          rules: Object.entries(MEANING).map(([id, text]) => ({ id, shortDescription: { text } })),
        },
      },
      results: findings.map((one) => resultOf(one, folderOf(one, folders))),
    },
  ],
});

const folderOf = ({ direction }: Finding, folders: Folders | undefined): string | undefined =>
  direction === 'ingress' ? folders?.ingressPath : folders?.kvPath;

function resultOf(
  { severity, code, key, container, line, text, reason, remedy }: Finding,
  folder: string | undefined,
) {
  const what = text === undefined ? '' : `${text}: `;
  const place = { ...(line === undefined ? {} : { region: { startLine: line } }) };
  const at =
    key === undefined
      ? { logicalLocations: [{ name: container ?? '', kind: 'resource' }] }
      : { physicalLocation: { artifactLocation: { uri: uriOf(`${folder ?? ''}${key}`) }, ...place } };
  return {
    ruleId: code,
    level: LEVELS[severity],
    message: { text: `${what}${reason}; ${remedy}` },
    locations: [at],
  };
}

/** A relative path becomes a relative reference; `-` is standard input. */
const uriOf = (path: string): string => {
  const encoded = path.toWellFormed().split('/').map(encodeURIComponent).join('/');
  return path === '-' ? 'stdin' : path.startsWith('/') ? `file:///${encoded.replace(/^\/+/, '')}` : encoded;
};
