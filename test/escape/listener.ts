/**
 * The test's side of `listener.py`: all packets that have arrived in a container, solicited or not.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { waitFor } from '../../lab/wait.ts';

/** A packet, or a frame with a text of the test; addresses are `-` if it is not IP. */
export interface ReceivedPacket {
  readonly source: string;
  readonly protocol: string;
  /** The type of ICMP, the destination port of TCP and UDP, else 0. */
  readonly kind: string;
  readonly texts: readonly string[];
}

export class Listener {
  readonly packets: ReceivedPacket[] = [];
  readonly #child: ChildProcess;
  #listening = false;

  /** `tools`: where the container finds `listener.py`. */
  constructor(docker: readonly string[], container: string, tools: string) {
    const [file = 'docker', ...rest] = docker;
    this.#child = spawn(file, [...rest, 'exec', container, 'python3', `${tools}/listener.py`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (this.#child.stdout === null) throw new Error('no output of the listener');
    createInterface(this.#child.stdout).on('line', (line) => this.#read(line));
  }

  async ready(): Promise<void> {
    await waitFor(() => this.#listening, { what: 'a listener', timeout: 60_000, interval: 20 });
  }

  hasReceived(text: string): boolean {
    return this.packets.some(({ texts }) => texts.includes(text));
  }

  /** Its process inside ends with the container. */
  close(): void {
    this.#child.kill();
  }

  #read(line: string): void {
    if (line === 'listening') {
      this.#listening = true;
      return;
    }
    const [, , source = '', , protocol = '', kind = '', ...texts] = line.split(' ');
    this.packets.push({ source, protocol, kind, texts });
  }
}

/** Neighbour and router discovery and group reports, which every host on a link sends. */
const HOUSEKEEPING = ['133', '135', '136', '143'];

export const isHousekeeping = ({ protocol, kind, texts }: ReceivedPacket): boolean =>
  protocol === '58' && HOUSEKEEPING.includes(kind) && texts.length === 0;
