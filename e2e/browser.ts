import { type Browser, chromium } from 'playwright-core'
import { chromiumPath } from '../test/chromium.ts'

/** Debian's Chromium unless `POSTERN_CHROMIUM` names another, headless and talking to nobody but the page. */
export async function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath(),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
