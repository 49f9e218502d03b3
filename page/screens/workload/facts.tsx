/**
 * The facts of a workload, as `egresstrator status <container>` prints them.
 */
import { unlisted } from '../../../src/format/denied-record.ts';
import { BY_HAND, DNS_MEANING, namesText } from '../../../src/format/meaning.ts';
import { RAW_LINE, RAW_REMEDY } from '../../../src/format/raw-sockets.ts';
import { many } from '../../../src/format/values.ts';
import type { WorkloadEntry } from '../../../src/live/tables.ts';
import { CopyButton } from '../../ui/copy.tsx';
import { type Fact, Facts } from '../../ui/panel.tsx';
import { keyPath } from '../../ui/router.ts';
import { Time } from '../../ui/time.tsx';

export const WorkloadFacts = ({
  workload,
  loader,
}: {
  readonly workload: WorkloadEntry;
  readonly loader: string | undefined;
}) => <Facts facts={[...settings(workload), ...loaded(workload, loader)]} />;

const settings = (one: WorkloadEntry): readonly Fact[] => [
  ['workloads', one.workloads.join(', ')],
  ['keys', one.grants.length === 0 ? 'none' : <Keys grants={one.grants} />],
  ...(one.byHand === undefined
    ? []
    : [
        [
          'by hand',
          <>
            {BY_HAND[one.byHand.kind]}, <Time at={one.byHand.since} />
          </>,
        ] as const,
      ]),
  ['mode', one.mode],
  ['DNS', DNS_MEANING[one.dns]],
  ...(one.names === undefined ? [] : [['names', namesText(one.names)] as const]),
  ['raw sockets', one.hasRawSockets ? <span title={RAW_REMEDY}>{RAW_LINE}</span> : 'cannot be opened'],
];

const Keys = ({ grants }: { readonly grants: readonly string[] }) => (
  <span class="tags">
    {grants.map((key) => (
      <a key={key} class="tag" href={keyPath(key)}>
        {key}
      </a>
    ))}
  </span>
);

const loaded = (one: WorkloadEntry, standard: string | undefined): readonly Fact[] => {
  const { fingerprint, verifiedAt, denied, lastError } = one;
  const loader = one.loader ?? standard;
  return [
    ['rules', fingerprint === undefined ? 'none loaded' : <Fingerprint text={fingerprint} />],
    ['verified', <Time key="verified" at={verifiedAt} />],
    ...(denied === undefined
      ? []
      : [
          [
            'denied',
            `${many(denied.packets, 'packet')}${denied.isFull ? `; the record is full: ${unlisted(denied)}` : ''}`,
          ] as const,
        ]),
    ...(loader === undefined ? [] : [['loaded by', loader] as const]),
    ...(lastError === undefined
      ? []
      : [
          [
            'last error',
            <span key="error" class="problem">
              {lastError}
            </span>,
          ] as const,
        ]),
  ];
};

const Fingerprint = ({ text }: { readonly text: string }) => (
  <span class="fingerprint">
    <span class="code">{text}</span>
    <CopyButton text={text} label="the fingerprint" />
  </span>
);
