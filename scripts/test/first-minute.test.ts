import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { launchChromium } from '../../test/chromium.ts'
import { FreshClone } from './support/fresh-clone.ts'

/** What the page runs, and what the backend answers to each once it is let through. */
const ATTACKS = [
  { title: 'SQL injection', refused: 'refused', passed: '200' },
  { title: 'Path traversal', refused: 'refused', passed: '200' },
  { title: 'Password guessing', refused: /\d of 8 refused/, passed: '401' },
] as const
const PATIENCE = 60_000

/** `npm start` in a folder, and the link that it prints. */
class Started {
  readonly link: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, link: string) {
    this.#child = child
    this.link = link
  }

  static async open(folder: string): Promise<Started> {
    // npm, its script and the gateway are one process group, as in a terminal.
    const child = spawn('npm', ['start'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    const closed = once(child, 'close')
    let output = ''
    const link = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no link within two minutes:\n${output}`)), 120_000)
      const read = (chunk: Buffer): void => {
        output += chunk.toString()
        const found = /^ {2}console +(http:\S+#link=\S+)/m.exec(output)?.[1]
        if (found === undefined) return
        clearTimeout(timer)
        resolve(found)
      }
      child.stdout.on('data', read)
      child.stderr.on('data', read)
      void closed.then(() => {
        clearTimeout(timer)
        reject(new Error(`npm start ended:\n${output}`))
      })
    })
    return new Started(child, link)
  }

  /** Ctrl-C, as a terminal sends it. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const closed = once(this.#child, 'close')
    process.kill(-(this.#child.pid ?? 0), 'SIGINT')
    await closed
  }
}

async function openPage(browser: Browser, link: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1_280, height: 1_000 } })
  context.setDefaultTimeout(PATIENCE)
  const page = await context.newPage()
  await page.goto(link)
  await page.getByRole('heading', { name: 'Test the protection' }).waitFor()
  return page
}

test('from a fresh clone: three attacks appear, are explained, and are let pass by exceptions that outlive a restart', {
  timeout: 300_000,
}, async t => {
  const clone = new FreshClone()
  const config = join(clone.folder, 'postern.config.yaml')
  assert.equal(existsSync(config), false)
  let started = await Started.open(clone.folder)
  const browser = await launchChromium()
  t.after(async () => {
    await browser.close()
    await started.stop()
    clone.close()
  })
  const page = await openPage(browser, started.link)
  for (const { title, refused, passed } of ATTACKS) {
    const attack = page.locator('.attacks li', { hasText: title })
    await attack.getByRole('button', { name: `Run ${title}` }).click()
    await attack.getByText(refused, { exact: true }).waitFor()
    const why = (await attack.getByRole('link', { name: 'See why' }).getAttribute('href')) ?? ''
    // It appears by itself: the list is fed by the gateway.
    await page.locator(`.refused-list a[href="${why}"]`).waitFor()
    await attack.getByRole('link', { name: 'See why' }).click()
    await page.locator('.guards .refusing').waitFor()
    assert.match(
      (await page.locator('.verdict').textContent()) ?? '',
      /It was (?:refused|throttled) by the guard/,
    )
    await page.getByRole('button', { name: 'Let it pass…' }).click()
    await page.locator('.diff .added').first().waitFor()
    await page.getByRole('button', { name: 'Save and apply' }).click()
    await page.getByText('and in force').waitFor()
    await page.getByRole('link', { name: 'Back to the overview' }).click()
    await attack.getByRole('button', { name: `Run ${title}` }).click()
    await attack.getByText('now passes').waitFor()
    await attack.getByText(passed, { exact: true }).waitFor()
  }
  const written = readFileSync(config, 'utf8')
  assert.match(written, /rule: sqli\//)
  assert.match(written, /route: GET \/files\/download/)
  assert.match(written, /login:\n +exempt:\n +- 127\.0\.0\.1/)

  await started.stop()
  started = await Started.open(clone.folder)
  const again = await openPage(browser, started.link)
  for (const { title, passed } of ATTACKS) {
    const attack = again.locator('.attacks li', { hasText: title })
    await attack.getByRole('button', { name: `Run ${title}` }).click()
    await attack.getByText('not refused').waitFor()
    await attack.getByText(passed, { exact: true }).waitFor()
  }
  assert.equal(readFileSync(config, 'utf8'), written)
})
