import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Engine, type Event } from '@postern/core'
import { startGateway } from '@postern/gateway'
import { BoundSessions, type BoundSessionsOptions } from '@postern/identity/bind'
import { type BrowserContext, chromium } from 'playwright-core'
import { newCertificate } from '../packages/gateway/test/tls.ts'
import { chromiumPath } from '../test/chromium.ts'
import { neededTool } from './attack-tool.ts'
import type { Application, Step } from './bound-applications.ts'
import { freePort } from './protected.ts'

/** What Postern's cookie is called over HTTPS. */
export const BOUND_COOKIE = '__Host-postern-bound'

/** How long a copied cookie counts at most: the shortest interval there is. */
export const INTERVAL_MS = 30_000

/** Entries of chrome://flags: keys in software, which Chromium else keeps for machines with a TPM. */
const SOFTWARE_KEYS = 'enable-bound-session-credentials-software-keys-for-manual-testing@1'
const DBSC: Readonly<Record<'on' | 'off', readonly string[]>> = {
  on: [SOFTWARE_KEYS, 'enable-standard-device-bound-session-credentials@1'],
  // The entry's third choice is `Disabled`; with keys at hand all the same, the choice is what counts.
  off: [SOFTWARE_KEYS, 'enable-standard-device-bound-session-credentials@3'],
}

export interface Answer {
  readonly status: number
  readonly text: string
  /** Value of Postern's cookie that it sets. */
  readonly cookie: string | undefined
}

/** An application behind the gateway with `bind`, and a person's browser in front of it. */
export interface BoundSite {
  readonly origin: string
  readonly events: readonly Event[]
  readonly browser: BrowserContext
  /** All cookies that the browser has for the origin. */
  cookies(): Promise<Readonly<Record<string, string>>>
  /** A client of its own, with a value of Postern's cookie if it has one. */
  ask(step: Step, cookie?: string, headers?: Readonly<Record<string, string>>): Promise<Answer>
}

export interface BoundSiteOptions {
  readonly application: Application
  /** Whether the browser knows Device Bound Session Credentials. */
  readonly dbsc: 'on' | 'off'
  readonly bind?: Pick<BoundSessionsOptions, 'withoutDbsc'>
}

/** Everything on loopback, over HTTPS, until the test ends. @returns undefined without certutil */
export async function boundSite(
  t: TestContext,
  { application, dbsc, bind = {} }: BoundSiteOptions,
): Promise<BoundSite | undefined> {
  const certutil = neededTool(t, 'certutil', 'libnss3-tools')
  if (certutil === undefined) return undefined
  const upstream = await freePort()
  const events: Event[] = []
  const bound = new BoundSessions({
    cookie: application.cookie,
    secret: new Uint8Array(32).fill(9),
    interval: INTERVAL_MS,
    onEvent: event => events.push(event),
    ...bind,
  })
  const { cert, key } = newCertificate()
  const gateway = await startGateway({
    upstream: `http://127.0.0.1:${upstream}`,
    listen: { host: '127.0.0.1', port: 0, tls: { cert, key } },
    engine: new Engine({ guards: [bound] }),
  })
  t.after(() => gateway.close())
  const origin = `https://localhost:${new URL(gateway.url).port}`
  await application.start(t, upstream, origin)
  const browser = await openChromium(t, certutil, cert, DBSC[dbsc])
  return {
    origin,
    events,
    browser,
    cookies: async () =>
      Object.fromEntries((await browser.cookies(origin)).map(({ name, value }) => [name, value])),
    ask: (step, cookie, headers = {}) =>
      send(new URL(step.path, origin), cert, step.json, {
        origin,
        ...(cookie !== undefined && { cookie: `${BOUND_COOKIE}=${cookie}` }),
        ...headers,
      }),
  }
}

/** A browser with a profile of its own that trusts the certificate. */
async function openChromium(
  t: TestContext,
  certutil: string,
  certificate: Buffer,
  flags: readonly string[],
): Promise<BrowserContext> {
  const home = mkdtempSync(join(tmpdir(), 'postern-chromium-'))
  const profile = join(home, 'profile')
  const nss = join(home, '.pki', 'nssdb')
  const file = join(home, 'cert.pem')
  mkdirSync(nss, { recursive: true })
  mkdirSync(profile)
  writeFileSync(
    join(profile, 'Local State'),
    JSON.stringify({ browser: { enabled_labs_experiments: flags } }),
  )
  writeFileSync(file, certificate)
  execFileSync(certutil, ['-d', `sql:${nss}`, '-N', '--empty-password'])
  execFileSync(certutil, ['-d', `sql:${nss}`, '-A', '-t', 'C,,', '-n', 'postern test', '-i', file])
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath(),
    args: ['--no-sandbox', '--disable-gpu', '--headless=new'],
    env: { ...process.env, HOME: home },
  })
  t.after(async () => {
    await context.close()
    rmSync(home, { recursive: true, force: true })
  })
  return context
}

async function send(
  url: URL,
  ca: Buffer,
  json: object | undefined,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  const body = json === undefined ? undefined : JSON.stringify(json)
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        ca,
        method: body === undefined ? 'GET' : 'POST',
        headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
        signal: AbortSignal.timeout(30_000),
      },
      response => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        response.on('error', reject).on('end', () => {
          const lines = response.headers['set-cookie'] ?? []
          const line = lines.find(one => one.startsWith(`${BOUND_COOKIE}=`))
          const cookie = line?.slice(BOUND_COOKIE.length + 1).split(';', 1)[0]
          resolve({ status: response.statusCode ?? 0, text, cookie })
        })
      },
    )
    outgoing.on('error', reject).end(body)
  })
}
