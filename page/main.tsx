/**
 * The entry point of the page in the browser.
 */
import './style.css';
import { render } from 'preact';
import { startClock } from './live/clock.ts';
import { logIn, tokenInAddress } from './live/session.ts';
import { startStream } from './live/stream.ts';
import { App } from './ui/app.tsx';
import { startRouter } from './ui/router.ts';
import { showTheme } from './ui/theme.ts';
import { showAllCharacters } from './ui/visible-texts.ts';

const token = tokenInAddress();
showAllCharacters();
showTheme();
startRouter();
startClock();
const root = document.getElementById('page');
if (root !== null) render(<App />, root);
if (token === undefined || (await logIn(token))) startStream();
