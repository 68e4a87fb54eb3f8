// An express-session application, unchanged, behind the gateway with `bind`, in Debian's Chromium: its
// session cookie is bound to the device.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Engine, type Event } from '@postern/core'
import { startGateway } from '@postern/gateway'
import { BoundSessions } from '@postern/identity/bind'
import { type BrowserContext, chromium } from 'playwright-core'
import { newCertificate } from '../packages/gateway/test/tls.ts'
import { chromiumPath } from '../test/chromium.ts'
import { neededTool } from './attack-tool.ts'
import { sessionApplication } from './session-application.ts'

/**
 * Switches on what Chromium keeps for machines with a TPM, with keys in software: entries of chrome://flags.
 */
const FLAGS = {
  browser: {
    enabled_labs_experiments: [
      'enable-bound-session-credentials-software-keys-for-manual-testing@1',
      'enable-standard-device-bound-session-credentials@1',
    ],
  },
}

async function openChromium(
  scope: TestContext,
  certutil: string,
  certificate: Buffer,
): Promise<BrowserContext> {
  const home = mkdtempSync(join(tmpdir(), 'postern-chromium-'))
  const profile = join(home, 'profile')
  const nss = join(home, '.pki', 'nssdb')
  mkdirSync(nss, { recursive: true })
  mkdirSync(profile)
  writeFileSync(join(profile, 'Local State'), JSON.stringify(FLAGS))
  writeFileSync(join(home, 'cert.pem'), certificate)
  execFileSync(certutil, ['-d', `sql:${nss}`, '-N', '--empty-password'])
  execFileSync(certutil, [
    '-d',
    `sql:${nss}`,
    '-A',
    '-t',
    'C,,',
    '-n',
    'postern test',
    '-i',
    join(home, 'cert.pem'),
  ])
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath(),
    args: ['--no-sandbox', '--disable-gpu', '--headless=new'],
    env: { ...process.env, HOME: home },
  })
  scope.after(async () => {
    await context.close()
    rmSync(home, { recursive: true, force: true })
  })
  return context
}

test('a cookie copied to a second client is refused after the interval, and the owner notices nothing', {
  timeout: 150_000,
}, async context => {
  const certutil = neededTool(context, 'certutil', 'libnss3-tools')
  if (certutil === undefined) return
  const application = createServer(sessionApplication()).listen(0, '127.0.0.1')
  await new Promise(resolve => application.once('listening', resolve))
  const events: Event[] = []
  const bound = new BoundSessions({
    cookie: 'connect.sid',
    secret: new Uint8Array(32).fill(9),
    interval: '30s',
    onEvent: event => events.push(event),
  })
  const { cert, key } = newCertificate()
  const gateway = await startGateway({
    upstream: `http://127.0.0.1:${(application.address() as AddressInfo).port}`,
    listen: { host: '127.0.0.1', port: 0, tls: { cert, key } },
    engine: new Engine({ guards: [bound] }),
  })
  context.after(async () => {
    await gateway.close()
    application.close()
  })
  const port = new URL(gateway.url).port
  const origin = `https://localhost:${port}`
  const browser = await openChromium(context, certutil, cert)
  const page = await browser.newPage()

  await page.goto(`${origin}/login?user=ada`)
  assert.equal(await page.textContent('body'), 'signed in as ada')
  await until(() => events.some(({ type }) => type === 'session.bound'), 'the browser registered no key')
  const cookies = (): Promise<Readonly<Record<string, string>>> =>
    browser.cookies(origin).then(list => Object.fromEntries(list.map(({ name, value }) => [name, value])))
  await page.goto(`${origin}/`)
  assert.equal(await page.textContent('body'), 'hello ada')
  const owned = await cookies()
  assert.deepEqual(Object.keys(owned), ['__Host-postern-bound'])

  // A thief has the cookie, and not the device.
  const stolen = `__Host-postern-bound=${owned['__Host-postern-bound']}`
  const thief = (): Promise<string> => requestAs(stolen, port, cert)
  assert.equal(await thief(), 'hello ada', 'until the interval is over it is the same cookie')

  await new Promise(resolve => setTimeout(resolve, 62_000))
  assert.equal(await thief(), 'hello nobody')
  await page.goto(`${origin}/`)
  assert.equal(await page.textContent('body'), 'hello ada')
  assert.notEqual((await cookies())['__Host-postern-bound'], owned['__Host-postern-bound'])

  await page.goto(`${origin}/logout`)
  await page.goto(`${origin}/`)
  assert.equal(await page.textContent('body'), 'hello nobody')
})

async function until(condition: () => boolean, problem: string): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (condition()) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  assert.fail(problem)
}

/** A client of its own with somebody's cookie. */
async function requestAs(cookie: string, port: string, ca: Buffer): Promise<string> {
  const { request } = await import('node:https')
  return new Promise((resolve, reject) => {
    request({ host: 'localhost', port, path: '/', ca, headers: { cookie } }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => resolve(text))
    })
      .on('error', reject)
      .end()
  })
}
