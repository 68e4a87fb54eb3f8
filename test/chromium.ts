import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'
import { installMissing } from './install-services.ts'

const PLACE = process.env['POSTERN_CHROMIUM'] ?? '/usr/bin/chromium'

/**
 * Where Chromium is: as root on Debian it is installed when it is missing, like the servers of the tests.
 * Anywhere else a run without it ends with one line that says what to install.
 */
export function chromiumPath(): string {
  if (!existsSync(PLACE))
    installMissing([
      {
        name: 'Chromium',
        variable: 'POSTERN_CHROMIUM',
        packages: ['chromium'],
        isInstalled: () => existsSync(PLACE),
      },
    ])
  return PLACE
}

/**
 * What no test looks at and what costs a process of its own with each window: a renderer kept ready for the
 * next site, and the page behind the address bar. The first four change what a page does; they are of
 * Playwright's own list, which this one replaces.
 */
const LEFT_OUT = [
  'HttpsUpgrades',
  'HttpsFirstBalancedModeAutoEnable',
  'PaintHolding',
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'SpareRendererForSitePerProcess',
  'WebUIOmniboxPopup',
  'WebUIOmniboxFullPopup',
  'WebUIOmniboxAimPopup',
]

/** Debian's Chromium unless `POSTERN_CHROMIUM` names another, headless and talking to nobody but the page. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath(),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--disable-features=${LEFT_OUT.join(',')}`,
    ],
  })
}
