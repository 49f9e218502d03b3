/**
 * Removes unused parts of the Engine's JSON while it arrives: an image may have megabytes of labels, variables and
 * arguments, and every inspection and every list repeats them. Only the rest is parsed.
 *
 * Members that are null are removed too: among the exposed ports of an image, these are the ones that are not
 * published. A stream of documents keeps one document in each line. The Engine's JSON is valid and its own names
 * contain no escapes; strings may contain anything.
 */

/** The parts to keep. Names and beginnings are compared as written, with their escapes. */
export interface Selection {
  /**
   * Whether to keep a member of the object named `parent` ('' for the top level and inside lists). `index`: how many were
   * kept before it.
   */
  readonly member: (parent: string, name: string, index: number) => boolean;
  /**
   * Whether to keep a string in the list named `parent`, by its first bytes. `index`: how many were kept before it.
   */
  readonly element: (parent: string, beginning: string, index: number) => boolean;
  /** The bytes of each string to keep. */
  readonly longest: number;
}

/** The most bytes of a name that are compared; no kept name is longer. */
const MOST_NAME = 1_000;
/** The bytes of a string in a list that are compared. */
const BEGINNING = 24;

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];
const [LETTER_N, LETTER_U] = [0x6e, 0x75];
const LINE_END = 0x0a;
const SPACES = new Set([0x20, 0x09, 0x0a, 0x0d]);

interface Level {
  readonly isList: boolean;
  readonly name: string;
  members: number;
}

/**
 * `name`: of a member. `beginning`: of a string in a list, until it is decided. `cut`: kept up to the limit.
 */
type Role = 'name' | 'beginning' | 'kept' | 'cut' | 'dropped';

export class JsonFilter {
  readonly #selection: Selection;
  readonly #levels: Level[] = [];
  #out: number[] = [];
  /** The depth below the dropped member; undefined if none is being dropped. */
  #dropped: number | undefined;
  #awaitsName = false;
  #inLiteral = false;
  /** The role of the present string. */
  #role: Role | undefined;
  #held: number[] = [];
  #length = 0;
  /** The remaining bytes of an escape sequence. */
  #escape = 0;
  #name = '';
  /** The member's name as it is written, until its value begins. */
  #written: readonly number[] = [];

  constructor(selection: Selection) {
    this.#selection = selection;
  }

  /** Returns the kept part of the next piece of the document. */
  push(piece: Uint8Array): Uint8Array {
    this.#out = [];
    let backslash = -1;
    for (let at = 0; at < piece.length; at++) {
      if (this.#leavesOut && this.#escape === 0) {
        if (backslash < at) backslash = placeOf(BACKSLASH, piece, at);
        at = Math.min(placeOf(QUOTE, piece, at), backslash);
      }
      const byte = piece[at];
      if (byte === undefined) break;
      if (this.#role === undefined) this.#outside(byte);
      else this.#inside(byte, this.#role);
    }
    return Uint8Array.from(this.#out);
  }

  /** True if only the end of the present string matters. */
  get #leavesOut(): boolean {
    return this.#role === 'cut' || this.#role === 'dropped';
  }

  #outside(byte: number): void {
    if (byte === QUOTE) this.#beginString();
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) this.#open(byte);
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) this.#close(byte);
    else if (byte === COMMA) this.#next();
    else if (byte === LINE_END && this.#levels.length === 0) this.#out.push(byte);
    else if (byte !== COLON && !SPACES.has(byte) && this.#dropped === undefined) this.#literal(byte);
  }

  #open(byte: number): void {
    if (this.#dropped !== undefined) {
      this.#dropped += 1;
      return;
    }
    this.#beginValue();
    this.#out.push(byte);
    this.#levels.push({ isList: byte === OPEN_LIST, name: this.#name, members: 0 });
    this.#awaitsName = byte === OPEN_OBJECT;
    this.#name = '';
  }

  #close(byte: number): void {
    if (this.#dropped !== undefined && this.#dropped > 0) {
      this.#dropped -= 1;
      return;
    }
    this.#endValue();
    this.#levels.pop();
    this.#awaitsName = false;
    this.#out.push(byte);
  }

  #next(): void {
    if (this.#dropped !== undefined && this.#dropped > 0) return;
    this.#endValue();
    this.#awaitsName = this.#levels.at(-1)?.isList === false;
  }

  #literal(byte: number): void {
    if (byte === LETTER_N && this.#written.length > 0) {
      this.#written = [];
      this.#dropped = 0;
      return;
    }
    if (!this.#inLiteral) this.#beginValue();
    this.#inLiteral = true;
    this.#out.push(byte);
  }

  #beginValue(): void {
    const level = this.#levels.at(-1);
    if (level === undefined) return;
    if (level.members > 0) this.#out.push(COMMA);
    level.members += 1;
    this.#out.push(...this.#written);
    this.#written = [];
  }

  #endValue(): void {
    this.#dropped = undefined;
    this.#inLiteral = false;
    this.#name = '';
  }

  #beginString(): void {
    this.#held = [];
    this.#length = 0;
    this.#escape = 0;
    if (this.#dropped !== undefined) this.#role = 'dropped';
    else if (this.#awaitsName) this.#role = 'name';
    else if (this.#levels.at(-1)?.isList) this.#role = 'beginning';
    else this.#keep();
  }

  #inside(byte: number, role: Role): void {
    if (byte === QUOTE && this.#escape === 0) {
      this.#endString(role);
      return;
    }
    this.#length += 1;
    if (role === 'kept') this.#copy(byte);
    else if (role === 'name' && this.#length <= MOST_NAME) this.#held.push(byte);
    else if (role === 'beginning') this.#held.push(byte);
    this.#escape = escapeAfter(this.#escape, byte);
    if (role === 'beginning' && this.#length >= BEGINNING && this.#escape === 0) this.#decideElement();
  }

  #endString(role: Role): void {
    if (role === 'name') this.#decideMember();
    if (role === 'beginning') this.#decideElement();
    if (this.#role === 'kept' || this.#role === 'cut') this.#out.push(QUOTE);
    this.#role = undefined;
  }

  /** Never cuts inside an escape sequence. */
  #copy(byte: number): void {
    if (this.#length <= this.#selection.longest || this.#escape > 0) this.#out.push(byte);
    else this.#role = 'cut';
  }

  #decideMember(): void {
    const name = textOf(this.#held);
    const level = this.#levels.at(-1);
    this.#awaitsName = false;
    const { name: parent = '', members = 0 } = level ?? {};
    const stays = this.#length <= MOST_NAME && this.#selection.member(parent, name, members);
    if (!stays || level === undefined) {
      this.#dropped = 0;
      return;
    }
    this.#name = name;
    this.#written = [QUOTE, ...this.#held, QUOTE, COLON];
  }

  #decideElement(): void {
    const level = this.#levels.at(-1);
    const stays = this.#selection.element(level?.name ?? '', textOf(this.#held), level?.members ?? 0);
    this.#role = 'dropped';
    if (!stays) return;
    this.#keep();
    this.#out.push(...this.#held);
  }

  #keep(): void {
    this.#beginValue();
    this.#out.push(QUOTE);
    this.#role = 'kept';
  }
}

const textOf = (bytes: readonly number[]): string => Buffer.from(bytes).toString();

/** The length of the piece if the byte is not in it. */
function placeOf(byte: number, piece: Uint8Array, from: number): number {
  const at = piece.indexOf(byte, from);
  return at < 0 ? piece.length : at;
}

/** The remaining bytes of an escape sequence after this byte. */
function escapeAfter(left: number, byte: number): number {
  if (left === 0) return byte === BACKSLASH ? 1 : 0;
  // The letter after the backslash; four digits follow a `u`.
  return left === 1 && byte === LETTER_U ? 4 : left - 1;
}
