/**
 * Finds the known word that is closest to a mistyped one.
 */

/** Letters that may be missing, added or wrong in a word of this length. */
const allowed = (word: string): number => Math.min(3, Math.floor(word.length / 3));

/** Undefined if no known word is close. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const found = known
    .filter((each) => isNear(word, each))
    .map((each) => ({ each, distance: distanceOf(word, each) }))
    .filter(({ each, distance }) => distance <= allowed(each) || (word.length > 1 && each.startsWith(word)))
    .sort((a, b) => a.distance - b.distance);
  return found[0]?.each;
}

/** Each letter more or less is one that was added or removed, so most words need no look at their letters. */
const isNear = (word: string, each: string): boolean =>
  Math.abs([...word].length - [...each].length) <= allowed(each) || each.startsWith(word);

/** Levenshtein's: how many letters have to be added, removed or replaced. */
function distanceOf(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const letter of one.slice(0, LONGEST)) {
    const next = [(row[0] ?? 0) + 1];
    for (const [index, counterpart] of [...other].entries()) {
      const replaced = (row[index] ?? 0) + (letter === counterpart ? 0 : 1);
      next.push(Math.min(replaced, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1));
    }
    row = next;
  }
  return (row[other.length] ?? 0) + Math.max(0, one.length - LONGEST);
}

/** Longer words are far from every known word. */
const LONGEST = 64;
