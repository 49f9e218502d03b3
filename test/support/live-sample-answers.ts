/**
 * What a controller answers to questions about the invented host of live-sample.ts.
 */
import type { ExplainInAnswer } from '../../src/diagnostics/explain-in.ts';
import type { SuggestInAnswer } from '../../src/diagnostics/suggest-in.ts';

type Answers = Readonly<Record<string, (query: URLSearchParams) => object>>;

export const sampleAnswers: Answers = {
  '/v1/explain-in': (query) =>
    explainIn(wordOf(query, 'source'), wordOf(query, 'container'), wordOf(query, 'traffic')),
  '/v1/suggest-in': () => suggestIn,
};

const wordOf = (query: URLSearchParams, name: string): string => query.get(name) ?? '';

const explainIn = (source: string, container: string, traffic: string): ExplainInAnswer => ({
  ...{ container, source, traffic, passes: false },
  ways: [
    {
      ...{ to: `172.18.0.5 ${traffic}`, passes: false },
      gates: [
        { gate: 'guard', outcome: 'denies', reason: `no service opens ${traffic} of ${container}` },
        { gate: 'ingress', outcome: 'passes', reason: 'key callers/db line 1: 10.0.0.0/8:tcp/5432' },
      ],
    },
  ],
});

const suggestIn: SuggestInAnswer = {
  ...{ isFull: false, covers: 3_600_000, ingressPath: 'egress/ingress/' },
  suggestions: [
    {
      ...{ container: 'shop-db-1', keys: ['callers/db'], notExpressible: [] },
      lines: [{ rule: 'reports:tcp/5432', packets: 9, services: ['reports'] }],
    },
  ],
};
