/**
 * Names of DNS: where they are answered, which addresses they grant now, and which were asked in vain.
 */
import { useComputed } from '@preact/signals';
import { hasState, state, table } from '../../live/store.ts';
import { Heading, Panel } from '../../ui/panel.tsx';
import { Loading } from '../../ui/texts.tsx';
import { Denied } from './denied.tsx';
import { Granted } from './granted.tsx';
import { namesRows, summaryOf } from './model.ts';
import { Workloads } from './workloads.tsx';

export default function Names() {
  const rows = useComputed(() => {
    table('names');
    table('workloads');
    return namesRows(state.peek());
  }).value;
  if (!hasState.value) return <Loading />;
  return (
    <>
      <Heading title="Names" command="egresstrator status" lead={summaryOf(rows)} />
      {rows.length === 0 ? (
        <HowTo />
      ) : (
        <>
          <Workloads rows={rows} />
          <Denied />
          <Granted />
        </>
      )}
    </>
  );
}

const HowTo = () => (
  <Panel title="How a workload gets them">
    <div class="steps">
      <p>
        A line as <code>api.example.com:tcp/443</code> in a key lets its workloads reach what the name
        resolves to. From then on the controller answers their questions, and grants the addresses before the
        answer leaves. For workloads whose keys have no such line, nothing is started.
      </p>
      <p>
        <a href="/what-if">Try a line in a key</a>
      </p>
    </div>
  </Panel>
);
