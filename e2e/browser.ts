import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

/** Debian's Chromium unless `POSTERN_CHROMIUM` names another, headless and talking to nobody but the page. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = process.env['POSTERN_CHROMIUM'] ?? '/usr/bin/chromium'
  assert.ok(
    existsSync(executablePath),
    `no browser at ${executablePath}: install Debian's chromium or set POSTERN_CHROMIUM`,
  )
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
