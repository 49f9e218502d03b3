/** Properties are tried for a moment each: a mutant that survives has all tests run, and there are a thousand of them. */
import fc from 'fast-check';

fc.configureGlobal({ interruptAfterTimeLimit: 1_000 });
