/**
 * The host's own rules: which ports are open, what leads where, who may reach whom, and who was denied.
 */
import type { ComponentChildren } from 'preact';
import type { HostAnswer } from '../../../src/diagnostics/host-view.ts';
import { guardText, HOST_IS_OFF } from '../../../src/format/host-rules.ts';
import { HOST_MEANING } from '../../../src/format/meaning.ts';
import { sentence } from '../../../src/format/values.ts';
import { hasState, table } from '../../live/store.ts';
import { Command } from '../../ui/copy.tsx';
import { type Fact, Facts, Heading, Panel } from '../../ui/panel.tsx';
import { State, Tag } from '../../ui/state.tsx';
import { Loading, Problems } from '../../ui/texts.tsx';
import { Time } from '../../ui/time.tsx';
import { CallQuestionPanel } from './call-question.tsx';
import { DeniedCalls } from './denied-calls.tsx';
import { problemsOf } from './model.ts';
import { ByHand, Closed, Forwards, Openings, Permits } from './tables.tsx';

export default function HostRules() {
  const host = table('host').get('host');
  if (!hasState.value) return <Loading />;
  const calls = table('deniedCalls').size > 0 || table('ingress').size > 0;
  if (host === undefined || host.state === 'off') return <Off host={host} hasCalls={calls} />;
  return (
    <>
      <Heading title="Host rules" command="egresstrator host status" lead={leadOf(host)}>
        <State state={host.state} title={HOST_MEANING[host.state]} />
      </Heading>
      <Trouble host={host} />
      <div class="panels">
        <Panel title="Rules">
          <Facts facts={factsOf(host)} />
        </Panel>
        <CallQuestionPanel host={host} />
      </div>
      {host.guard !== undefined && <Openings host={host} />}
      {host.closed.length > 0 && <Closed closed={host.closed} mode={host.guard?.mode} />}
      {host.byHand.length > 0 && <ByHand rows={host.byHand} />}
      <DeniedCalls guard={host.guard} />
      <Forwards host={host} />
      {host.permits.length > 0 && <Permits permits={host.permits} />}
    </>
  );
}

const leadOf = ({ state, guard }: HostAnswer): string =>
  `${sentence(HOST_MEANING[state])} ${guard === undefined ? 'No port is guarded (--ports off): all are open.' : `The guard of ports: ${guardText(guard)}.`}`;

function Trouble({ host }: { readonly host: HostAnswer }) {
  const problems = problemsOf(host);
  if (problems.length === 0) return null;
  return (
    <Panel title="Problems" count={problems.length}>
      <Problems problems={problems} />
    </Panel>
  );
}

const factsOf = (host: HostAnswer): readonly Fact[] => [
  ['ports', guardText(host.guard)],
  ...(host.guard === undefined ? [] : ([['guarded', <Bridges key="guarded" host={host} />]] as const)),
  ...(host.passages === undefined
    ? []
    : ([['passages', <Passages key="passages" passages={host.passages} />]] as const)),
  ['loaded', <code key="loaded">{host.fingerprint ?? 'nothing yet'}</code>],
  ['verified', <Time key="verified" at={host.verifiedAt} />],
];

function Bridges({ host }: { readonly host: HostAnswer }): ComponentChildren {
  const guarded = host.bridges.filter((one) => one.guarded);
  if (guarded.length === 0) return 'no bridge';
  return (
    <span class="tags">
      {guarded.map(({ name, subnets }) => (
        <Tag key={name} title={subnets.join(', ')}>
          {name}
        </Tag>
      ))}
    </span>
  );
}

/** Rules of ours in other firewalls, which let pass what is forwarded. */
const Passages = ({ passages }: { readonly passages: NonNullable<HostAnswer['passages']> }) =>
  passages.length === 0 ? (
    <>no other firewall filters what is forwarded</>
  ) : (
    <ul class="lines">
      {passages.map(({ tool, chain, state }) => (
        <li key={`${tool} ${chain}`}>
          <State state={state} /> <code>{`${tool} ${chain}`}</code>
        </li>
      ))}
    </ul>
  );

function Off({ host, hasCalls }: { readonly host: HostAnswer | undefined; readonly hasCalls: boolean }) {
  return (
    <>
      <Heading title="Host rules" command="egresstrator host status" lead={HOST_IS_OFF}>
        <State state="off" />
      </Heading>
      {host !== undefined && <Trouble host={host} />}
      <Panel title="Nothing of this host is touched">
        <div class="steps">
          <p>
            Without these options, egresstrator adds no rule, chain or table to the host's own network: it
            only loads rules inside the namespaces of containers. Each option is turned on by itself, when the
            controller starts.
          </p>
          <Way
            option="--ports observe"
            text="Records who calls ports of containers that no registered service opens, and denies nothing. With --ports enforce they are denied."
            variable="EGRESSTRATOR_PORTS=observe"
          />
          <Way
            option="--forwards auto"
            text="Leads published ports of this host to containers where the Engine makes no firewall rules itself."
            variable="EGRESSTRATOR_FORWARDS=auto"
          />
          <Way
            option="--networks /etc/egresstrator/networks.json"
            text="Keeps networks, addresses and policies between them as one file says."
            variable="NETWORKS_CONFIG_PATH=/etc/egresstrator/networks.json"
          />
        </div>
      </Panel>
      {hasCalls && <DeniedCalls guard={undefined} />}
    </>
  );
}

const Way = ({
  option,
  text,
  variable,
}: {
  readonly option: string;
  readonly text: string;
  readonly variable: string;
}) => (
  <div class="way">
    <p>
      <code>{option}</code> {text}
    </p>
    <Command text={variable} label={`the variable of ${option}`} />
  </div>
);
