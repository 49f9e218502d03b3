/**
 * The entry point of the page in the browser.
 */
import './style.css';
import { render } from 'preact';
import { state } from './live/store.ts';

const Page = () => <h1>{state.value.controller.get('controller')?.node ?? 'egresstrator'}</h1>;

const root = document.getElementById('page');
if (root !== null) render(<Page />, root);
