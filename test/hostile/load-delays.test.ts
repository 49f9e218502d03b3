/** What a workload does to delay or prevent the load of its rules. */
import { testAttempts } from './attempt-tests.ts';
import { loadDelays } from './load-delays.ts';

testAttempts(loadDelays);
