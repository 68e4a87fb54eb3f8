import assert from 'node:assert/strict'
import type { Locator } from 'playwright-core'

/** Asserts that something comes into sight on a page, within the page's own patience unless given. */
export async function seen(locator: Locator, options: { readonly timeout?: number } = {}): Promise<void> {
  await assert.doesNotReject(locator.waitFor(options))
}
