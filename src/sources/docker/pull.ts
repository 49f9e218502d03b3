/**
 * Reads the progress of a pull. The Engine answers 200 before it knows whether it can pull; a failure is one of the
 * lines.
 */
import { z } from 'zod';
import { EngineError } from '../../common/errors.ts';
import { jsonLines } from './json-lines.ts';

const failure = z.object({ error: z.string() });

export async function pullFinished(progress: AsyncIterable<unknown>, name: string): Promise<void> {
  for await (const line of jsonLines(progress)) {
    const failed = failure.safeParse(line);
    if (failed.success)
      throw new EngineError(`The Docker Engine could not pull ${name}: ${failed.data.error}`);
  }
}
