/**
 * Who answers questions: resolvers of the host, Consul, Docker. They are asked for a name and a type, and nothing of a
 * workload's message reaches them.
 */
import type { Answer } from '../dns/answer.ts';
import type { AskedQuestion } from '../dns/question.ts';

export interface NameResolver {
  /**
   * The answer; undefined if nobody has answered in time, or with anything that fits the question. Never rejects.
   * `asker`: the namespace, so that none can keep others waiting.
   */
  ask(question: AskedQuestion, asker: string): Promise<Answer | undefined>;
  close(): void;
}

/** For names of Docker or Consul where there is none. */
export const NO_RESOLVER: NameResolver = { ask: () => Promise.resolve(undefined), close: () => undefined };
