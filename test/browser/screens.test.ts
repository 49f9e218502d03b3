/**
 * Every screen, light and dark, narrow and wide: axe finds nothing, nothing is wider than the window, all of it is reached by
 * the keyboard, each focus can be seen, nothing moves for those who do not want it, and nothing is asked elsewhere.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Browser, startBrowser, type Visit } from '../../lab/browser.ts';
import { liveSample } from '../support/live-sample.ts';
import { sampleAnswers } from '../support/live-sample-answers.ts';
import { axeFindings, byColourAlone, moving, notReached, tabStops, tooWide } from './checks.ts';
import { ADDRESSES, RunningPage, show } from './page.ts';

let browser: Browser;
let running: RunningPage;
let visit: Visit;

beforeAll(async () => {
  browser = await startBrowser();
  running = await RunningPage.start(liveSample(Date.now()), sampleAnswers);
  visit = await running.visit(browser, { reducedMotion: 'reduce' });
});
afterAll(async () => {
  running.isFine(visit);
  await browser[Symbol.asyncDispose]();
  await running[Symbol.asyncDispose]();
});

const LOOKS = (['light', 'dark'] as const).flatMap((colorScheme) =>
  [360, 1280].map((width) => ({ colorScheme, width })),
);

describe.each(ADDRESSES)('%s', (address) => {
  test.each(LOOKS)('axe finds nothing, nothing is too wide: $colorScheme, $width', async (look) => {
    const { page } = visit;
    await page.setViewportSize({ width: look.width, height: 800 });
    await page.emulateMedia({ colorScheme: look.colorScheme });
    await show(page, address);
    expect(await axeFindings(page)).toEqual([]);
    expect(await tooWide(page)).toEqual([]);
  });

  test.each([360, 1280])(
    'all of it is reached by the keyboard, and each focus is seen: %d',
    async (width) => {
      const { page } = visit;
      await page.setViewportSize({ width, height: 800 });
      await page.goto(running.origin + address);
      await page.locator('main h1').waitFor();
      const stops = await tabStops(page);
      expect(stops.filter(({ isSeen }) => !isSeen)).toEqual([]);
      expect(await notReached(page)).toEqual([]);
    },
  );

  test('nothing moves, and nothing is told by its colour alone', async () => {
    expect(await moving(visit.page)).toEqual([]);
    expect(await byColourAlone(visit.page)).toEqual([]);
  });
});
