import {
  ALLOW,
  type Allow,
  ANONYMOUS,
  type Answer,
  type Decision,
  type Exchange,
  type Guard,
  type Principal,
  type RandomSource,
  type Refusal,
} from '@postern/core'
import type { ApiKeyCheck } from '../api-key/api-keys.ts'
import { freshToken } from '../database/identity-secret.ts'
import { isMetadataPath } from '../oauth/metadata-path.ts'
import type { MenuEntry } from '../pages/account-frame.ts'
import { formOld } from '../pages/answers.ts'
import type { Assets } from '../pages/assets.ts'
import { type FrameOptions, render } from '../pages/frame.ts'
import { html } from '../pages/html.ts'
import { parseLanguage } from '../pages/language/language.ts'
import type { PageAnswer, PageRequest, Routes } from '../pages/page-request.ts'
import { csrfToken, isOwnPost, readPageRequest } from '../pages/read-page-request.ts'
import type { IdentityParts } from '../parts/identity-parts.ts'
import { QueueFull } from '../password/work-queue.ts'
import type { BackendTokens } from './backend-token.ts'

export interface PagesGuardOptions {
  readonly parts: IdentityParts
  readonly routes: Routes
  readonly assets: Assets
  readonly random: RandomSource
  readonly backendTokens: BackendTokens | undefined
  /** What was wrong with the API key of an exchange, when something was. */
  readonly keyFault: (exchange: Exchange) => Exclude<ApiKeyCheck, { kind: 'accepted' }> | undefined
  /** Answers what is below `/oauth/` and no page. */
  readonly oauth: Routes[string] | undefined
}

/** Posts without a cookie's authority, which programs send: what is in them is the proof. */
const FOR_PROGRAMS = new Set(['/keys/leaks'])
const MENU: readonly MenuEntry[] = ['account', 'sessions', 'keys', 'grants', 'organisations']
const BROWSER_SECONDS = 365 * 86_400

/**
 * Serves the pages and endpoints of built-in identity, refuses API keys that do not hold, and tells the
 * backend who acts. Fails closed: a page that cannot ask its store answers 503.
 */
export class PagesGuard implements Guard {
  readonly name = 'identity'
  readonly failure = 'closed'
  readonly #options: PagesGuardOptions
  readonly #prefix: string
  readonly #menu: readonly MenuEntry[]
  /** By the framework's own request, for the application's code. */
  readonly #principals = new WeakMap<object, Principal>()

  constructor(options: PagesGuardOptions) {
    this.#options = options
    this.#prefix = `${options.parts.base}/`
    this.#menu = MENU.filter(entry => options.routes[`GET /${entry}`] !== undefined)
  }

  decide(exchange: Exchange): Decision | Promise<Decision> {
    const fault = this.#options.keyFault(exchange)
    if (fault !== undefined) return keyRefusal(fault)
    const { native } = exchange.source
    if (exchange.principal.kind !== 'anonymous' && typeof native === 'object' && native !== null)
      this.#principals.set(native, exchange.principal)
    const path = exchange.path.canonical
    if (path.startsWith(this.#prefix) && exchange.path.ambiguity === undefined)
      return this.#serve(exchange, path.slice(this.#options.parts.base.length))
    const { oauth, parts } = this.#options
    // As it was sent: the server goes by that, and would take another spelling for one of its endpoints.
    if (oauth !== undefined && isMetadataPath(exchange.path.raw, `${parts.base}/oauth`))
      return this.#oauth(exchange, oauth)
    return this.#passOn(exchange)
  }

  async #oauth(exchange: Exchange, oauth: NonNullable<PagesGuardOptions['oauth']>): Promise<Decision> {
    const request = await readPageRequest(exchange, this.#options.parts)
    return served(render(await oauth(request), request, this.#frame()))
  }

  /** To the backend, with the token of who acts. */
  #passOn(exchange: Exchange): Decision | Promise<Decision> {
    const late = this.#options.backendTokens?.apply(exchange)
    return late === undefined ? ALLOW : late.then(() => ALLOW)
  }

  /** Who sent a request of the framework's. */
  principalOf(request: object): Principal {
    return this.#principals.get(request) ?? ANONYMOUS
  }

  #serve(exchange: Exchange, path: string): Decision | Promise<Decision> {
    const asset = this.#asset(exchange, path)
    if (asset !== undefined) return served(asset)
    const method = exchange.method === 'HEAD' ? 'GET' : exchange.method
    const { routes } = this.#options
    const handler =
      routes[`${method} ${path}`] ?? routes[`${method} ${path.slice(0, path.lastIndexOf('/'))}/*`]
    if (handler === undefined) return this.#other(exchange, path)
    return this.#page(exchange, path, handler)
  }

  async #page(exchange: Exchange, path: string, handler: Routes[string]): Promise<Decision> {
    const { parts, random } = this.#options
    const read = await readPageRequest(exchange, parts)
    const isNewBrowser = read.csrf === ''
    const browser = isNewBrowser ? freshToken(random) : ''
    const request = isNewBrowser ? { ...read, csrf: csrfToken(parts.secret, browser) } : read
    // A token that was only just made is in no form yet: the check takes the request as it came.
    const isTrusted = exchange.method !== 'POST' || FOR_PROGRAMS.has(path) || isOwnPost(read, parts.origin)
    const answer = isTrusted ? await answerOf(handler, request) : formOld(request)
    const cookies = [...(answer.cookies ?? [])]
    if (isNewBrowser && !FOR_PROGRAMS.has(path))
      cookies.push(parts.cookies.set('browser', browser, BROWSER_SECONDS))
    const chosen = exchange.method === 'GET' ? parseLanguage(read.query.get('lang')) : undefined
    if (chosen !== undefined) cookies.push(parts.cookies.set('language', chosen, BROWSER_SECONDS))
    return served(withoutBody(render({ ...answer, cookies }, request, this.#frame()), exchange))
  }

  #frame(): FrameOptions {
    const { parts, assets, random } = this.#options
    return {
      base: parts.base,
      siteName: parts.siteName,
      home: parts.home,
      nonce: Buffer.from(random.bytes(16)).toString('base64'),
      assetVersion: assets.version,
      menu: this.#menu,
    }
  }

  /**
   * Paths below the base that are not pages of ours: the OAuth server's, another
   * guard's, or of a page under another method.
   */
  #other(exchange: Exchange, path: string): Decision | Promise<Decision> {
    const { oauth, routes } = this.#options
    // Its endpoints are for programs, its forms carry a token of their own, and it sets its own cookies.
    if (oauth !== undefined && path.startsWith('/oauth/')) return this.#oauth(exchange, oauth)
    const methods = ['GET', 'POST'].filter(method => routes[`${method} ${path}`] !== undefined)
    if (methods.length === 0) return this.#passOn(exchange)
    return served({
      status: 405,
      headers: ['Allow', methods.join(', '), 'Cache-Control', 'no-store'],
      body: '',
    })
  }

  #asset(exchange: Exchange, path: string): Answer | undefined {
    const { assets } = this.#options
    const prefix = `/assets/${assets.version}/`
    if (!path.startsWith(prefix) || (exchange.method !== 'GET' && exchange.method !== 'HEAD'))
      return undefined
    const file = assets.files.get(path.slice(prefix.length))
    if (file === undefined) return undefined
    const headers = ['Content-Type', file.type, 'Cache-Control', 'public, max-age=31536000, immutable']
    const answer = {
      status: 200,
      headers: [...headers, 'X-Content-Type-Options', 'nosniff'],
      body: file.body,
    }
    return withoutBody(answer, exchange)
  }
}

function served(answer: Answer): Allow {
  return { effect: 'allow', answer }
}

function withoutBody(answer: Answer, exchange: Exchange): Answer {
  return exchange.method === 'HEAD' ? { ...answer, body: '' } : answer
}

async function answerOf(handler: Routes[string], request: PageRequest): Promise<PageAnswer> {
  try {
    return (await handler?.(request)) ?? formOld(request)
  } catch (error) {
    if (!(error instanceof QueueFull)) throw error
    const { texts } = request
    const page = { title: texts.busyTitle, body: html`<p>${texts.busy}</p>` }
    return { kind: 'page', status: 503, page, retryAfter: error.retryAfter }
  }
}

/**
 * A key that was sent and does not hold is refused; without it the request might have passed
 * as anonymous, and nobody would notice.
 */
function keyRefusal(fault: Exclude<ApiKeyCheck, { kind: 'accepted' }>): Refusal {
  if (fault.kind === 'limited')
    return {
      effect: 'throttle',
      guard: 'identity',
      status: 429,
      retryAfter: fault.retryAfter,
      reasons: [
        { rule: 'identity/key-limit', message: 'This API key was used too often. Please slow down.' },
      ],
    }
  return {
    effect: 'deny',
    guard: 'identity',
    status: 401,
    headers: ['WWW-Authenticate', 'Bearer error="invalid_token"'],
    reasons: [
      {
        rule: 'identity/key',
        message: 'The API key is not valid here.',
        evidence: { location: 'header.authorization', facts: { why: fault.why } },
      },
    ],
  }
}
