/** What an image says about its own containers, against what their runner says. */
import { testAttempts } from './attempt-tests.ts';
import { imageSettings } from './image-settings.ts';

testAttempts(imageSettings);
