/**
 * What every screen must be, whatever it shows: axe finds nothing, all of it is reached by the keyboard, each focus can be
 * seen, nothing is wider than the window. The functions that are given to `evaluate` run in the page.
 */
import axe from 'axe-core';
import type { Page } from 'playwright-core';

declare global {
  interface Window {
    readonly axe: typeof axe;
  }
}

/** What axe finds, with the elements. All of its rules count, also those that it calls best practice. */
export async function axeFindings(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target}: ${failureSummary}`),
    );
  });
}

/** Elements that are wider than the window, unless they scroll in themselves. Empty if the page itself does not scroll. */
export function tooWide(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const isOver = (one: Element) => one.getBoundingClientRect().right > clientWidth + 1;
    return [...document.querySelectorAll('*')].filter(isOver).map((one) => one.outerHTML.slice(0, 120));
  });
}

export interface TabStop {
  readonly element: string;
  /** An outline or a shadow; in a drawing, another stroke than without the focus. */
  readonly isSeen: boolean;
}

/** The elements that the Tab key reaches, in order, until it leaves the document or has come around. */
export async function tabStops(page: Page, limit = 400): Promise<readonly TabStop[]> {
  const stops: TabStop[] = [];
  for (let count = 0; count < limit; count++) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(focused);
    if (stop === undefined || stop === 'again') return stops;
    stops.push(stop);
  }
  throw new Error(
    `the focus did not come around in ${limit} steps; the last: ${JSON.stringify(stops.slice(-5))}`,
  );
}

/** Marks the element, so that one that was there already is known. */
function focused(): TabStop | 'again' | undefined {
  const one = document.activeElement;
  if (one === null || one === document.body || one === document.documentElement) return undefined;
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one);
  const { width, height, bottom, right } = one.getBoundingClientRect();
  const hasRing = (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none';
  const looks = () =>
    [...one.querySelectorAll('*')]
      .map((part) => `${getComputedStyle(part).stroke} ${getComputedStyle(part).strokeWidth}`)
      .join();
  const changesLooks = (shape: SVGElement): boolean => {
    const focused = looks();
    shape.blur();
    const isOther = looks() !== focused;
    shape.focus();
    return isOther;
  };
  const hasSign = hasRing || (one instanceof SVGElement && changesLooks(one));
  const isSeen = hasSign && width > 0 && height > 0 && bottom > 0 && right > 0;
  if (one.hasAttribute('data-was-focused')) return 'again';
  one.setAttribute('data-was-focused', '');
  return { element: one.outerHTML.slice(0, 120), isSeen };
}

/** Those that a pointer can use and Tab did not reach. Call it after `tabStops`. */
export function notReached(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const usable =
      'a[href], button:not(:disabled), input:not(:disabled), select, textarea, summary, [onclick]';
    const isShown = (one: Element) => one.checkVisibility({ visibilityProperty: true });
    const isMember = (one: Element) =>
      one.matches('input[type=radio]') || one.closest('[role=radiogroup], [role=tablist]') !== null;
    return [...document.querySelectorAll(usable)]
      .filter((one) => isShown(one) && !isMember(one) && !one.hasAttribute('data-was-focused'))
      .map((one) => one.outerHTML.slice(0, 120));
  });
}

/** What moves, or would move on a change. */
export function moving(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const lasts = (durations: string) => durations.split(',').some((one) => Number.parseFloat(one) > 0.001);
    const moves = (one: Element) => {
      const { animationName, animationDuration, transitionDuration } = getComputedStyle(one);
      return (animationName !== 'none' && lasts(animationDuration)) || lasts(transitionDuration);
    };
    return [...document.querySelectorAll('*')].filter(moves).map((one) => one.outerHTML.slice(0, 120));
  });
}

/** What tells something by its colour alone: a tone without a word, or a denied path that is drawn as others are. */
export function byColourAlone(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const toned = [
      ...document.querySelectorAll('main :is(.state, .good, .watch, .warn, .bad, .added, .removed)'),
    ];
    const wordless = toned.filter(
      (one) =>
        one.textContent?.trim() === '' && one.closest('[aria-label], a, button, [aria-hidden]') === null,
    );
    const paths = [...document.querySelectorAll('main svg path.denied, main svg .edge.denied')];
    const solid = paths.filter((one) => getComputedStyle(one).strokeDasharray === 'none');
    return [...wordless, ...solid].map((one) => one.outerHTML.slice(0, 120));
  });
}
