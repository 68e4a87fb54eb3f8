import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '@postern/config'
import { askGateway, type Served, serve } from '@postern/server'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { ensurePage } from '../scripts/build-page.ts'
import { launchChromium } from './chromium.ts'

/** A configuration of a gateway with a console, on ports that the system chooses; `upstream` is added. */
const CONFIG = `trustProxies: loopback
listen: 127.0.0.1:0
audit: { origin: shop.example.com/audit }
`

const PATIENCE = 60_000

export interface ConsoleInBrowserOptions {
  /** YAML behind what every such gateway has. */
  readonly config?: string
  /** YAML below `console`. Default: a port that the system chooses. */
  readonly console?: string
  /** Where the command line asks. Default: nowhere. */
  readonly admin?: '127.0.0.1:0'
  /** Default `yes`. */
  readonly signIn?: 'yes' | 'no'
  /** Default: answers everything with 200. */
  readonly backend?: RequestListener
  /** Called with the folder before the gateway starts. */
  readonly prepare?: (folder: string) => Promise<void>
}

/** One request through the gateway. */
export interface SentRequest {
  readonly address?: string
  readonly agent?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** A gateway with a console in front of a small backend, and Chromium signed in to the console. */
export class ConsoleInBrowser {
  readonly folder: string
  readonly #backend: Server
  readonly #browser: Browser
  #served: Served
  page: Page

  private constructor(folder: string, backend: Server, browser: Browser, served: Served, page: Page) {
    this.folder = folder
    this.#backend = backend
    this.#browser = browser
    this.#served = served
    this.page = page
  }

  static async open(options: ConsoleInBrowserOptions = {}): Promise<ConsoleInBrowser> {
    await ensurePage()
    const folder = mkdtempSync(join(tmpdir(), 'shop-'))
    const backend = createServer(
      options.backend ??
        ((request, response) => {
          request.resume()
          response.end('ok\n')
        }),
    ).listen(0, '127.0.0.1')
    await new Promise(resolve => backend.once('listening', resolve))
    const { port } = backend.address() as AddressInfo
    const text = `upstream: http://127.0.0.1:${port}\nadmin: ${options.admin === undefined ? 'false' : `{ listen: ${options.admin} }`}\n${CONFIG}console:\n  ${options.console ?? 'listen: 127.0.0.1:0'}\n${options.config ?? ''}`
    writeFileSync(join(folder, 'postern.config.yaml'), text)
    await options.prepare?.(folder)
    const served = await startGateway(folder)
    const browser = await launchChromium()
    const opened = new ConsoleInBrowser(folder, backend, browser, served, await pageOf(browser))
    if (options.signIn !== 'no') await opened.signIn()
    return opened
  }

  get served(): Served {
    return this.#served
  }

  /** Opens the link of the gateway's start, which signs in once. */
  async signIn(): Promise<void> {
    await this.page.goto(this.#served.console?.link ?? '')
    await this.page.getByRole('heading', { name: 'Overview' }).waitFor()
  }

  /** As `postern console link`. Needs `admin`. */
  async newLink(
    name: string,
    roles: readonly string[] = ['viewer', 'operator', 'approver'],
  ): Promise<string> {
    const answer = await askGateway(join(this.folder, '.postern'), 'console/link', {
      name,
      roles: [...roles],
    })
    return (answer as { readonly link: string }).link
  }

  /** Another context of the same browser, not signed in. */
  async newContext(options: Parameters<Browser['newContext']>[0] = {}): Promise<BrowserContext> {
    const context = await this.#browser.newContext(options)
    context.setDefaultTimeout(PATIENCE)
    return context
  }

  /** Shows a screen: `live`, `why/ID`. */
  async show(place: string): Promise<void> {
    await this.page.goto(`${this.#served.console?.address ?? ''}#/${place}`)
  }

  /** A request through the gateway; its answer has been read. */
  async send(path: string, options: SentRequest = {}): Promise<Response> {
    const { address = '198.51.100.7', agent = 'curl/8', method = 'GET', headers = {}, body } = options
    const response = await fetch(`${this.#served.url}${path}`, {
      method,
      headers: { 'X-Forwarded-For': address, 'User-Agent': agent, ...headers },
      ...(body !== undefined && { body }),
    })
    await response.arrayBuffer()
    return response
  }

  /** Keeps a picture of the page in the folder that `POSTERN_SCREENSHOTS` names. */
  async shot(name: string): Promise<void> {
    const folder = process.env['POSTERN_SCREENSHOTS']
    if (folder !== undefined) await this.page.screenshot({ path: join(folder, `console-${name}.png`) })
  }

  async restart(): Promise<void> {
    await this.#served.close()
    this.#served = await startGateway(this.folder)
  }

  async close(): Promise<void> {
    await this.#browser.close()
    await this.#served.close()
    this.#backend.close()
    this.#backend.closeAllConnections()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

async function startGateway(folder: string): Promise<Served> {
  const loaded = await loadConfig({ folder, environment: process.env })
  return serve({ loaded, overrides: {}, dataDirectory: join(folder, '.postern') })
}

async function pageOf(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1_280, height: 860 } })
  context.setDefaultTimeout(PATIENCE)
  return context.newPage()
}
