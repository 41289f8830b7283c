/** A headless Chromium for tests of pages, where there is one. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PLACES = [process.env.PRISM_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

const executablePath = PLACES.find((path) => path !== undefined && existsSync(path));

/** For `t.test`'s options: false, or why the test cannot be run here. ci/test counts a skipped test as a failure. */
export const noChromium: string | false =
  executablePath === undefined ? 'no Chromium here: apt-get install chromium, or name one in PRISM_CHROMIUM' : false;

export function launch(): Promise<Browser> {
  // Chromium's own sandbox refuses root, and what it is shown here is ours.
  return chromium.launch({ ...(executablePath === undefined ? {} : { executablePath }), args: ['--no-sandbox'] });
}
