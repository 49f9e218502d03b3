/**
 * How grants by name get into the kernel: as UDP datagrams that the proxy sends inside the namespace, to the address
 * that is granted. The first rules of its text know the secret that each of them holds, do what its port says, and drop
 * it: nothing leaves the namespace, and the one who sends it learns by EPERM that the rules are there.
 *
 * A rule has one fixed timeout, so there is a rule for each of a few, in each port class. What a grant needs is
 * rounded up; the proxy itself removes it when its time is over.
 */

/** The whole content of a datagram: a secret of the namespace. */
export const SECRET_BYTES = 16;

/** Seconds, ascending: a common grace of 5 minutes, with lifetimes of 0, 60, 300 seconds and an hour; and a day. */
export const GRANT_TIMEOUTS: readonly number[] = [60, 300, 360, 600, 1_800, 4_200, 21_600, 86_400];

/** To any address: the proxy is there. */
export const ALIVE_PORT = 1;

const FIRST_PORT = 16;
const PORTS_PER_CLASS = 16;
const REMOVE = PORTS_PER_CLASS - 1;

/** Port classes of a namespace: their numbers are 0 to `MOST_CLASSES - 1`. */
export const MOST_CLASSES = Math.floor((0x1_0000 - FIRST_PORT) / PORTS_PER_CLASS);

/** The shortest timeout that is long enough; the longest if none is. */
export const timeoutFor = (seconds: number): number => GRANT_TIMEOUTS[stepFor(seconds)] ?? 0;

const stepFor = (seconds: number): number => {
  const step = GRANT_TIMEOUTS.findIndex((timeout) => timeout >= seconds);
  return step < 0 ? GRANT_TIMEOUTS.length - 1 : step;
};

const firstPortOf = (classNumber: number): number => FIRST_PORT + PORTS_PER_CLASS * classNumber;

/** The port that grants the address of a datagram in a class, for at least so many seconds. */
export const grantPort = (classNumber: number, seconds: number): number =>
  firstPortOf(classNumber) + stepFor(seconds);

/** The port that removes the address of a datagram from a class. */
export const removePort = (classNumber: number): number => firstPortOf(classNumber) + REMOVE;

/** All ports of a class, for the rules of a text. */
export interface ClassPorts {
  readonly first: number;
  readonly last: number;
  /** Each with its timeout in seconds. */
  readonly grants: readonly { readonly port: number; readonly timeout: number }[];
  readonly remove: number;
}

export const portsOfClass = (classNumber: number): ClassPorts => ({
  first: firstPortOf(classNumber),
  last: firstPortOf(classNumber) + PORTS_PER_CLASS - 1,
  grants: GRANT_TIMEOUTS.map((timeout) => ({ port: grantPort(classNumber, timeout), timeout })),
  remove: removePort(classNumber),
});
