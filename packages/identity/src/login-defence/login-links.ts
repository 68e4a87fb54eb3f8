import { createHash } from 'node:crypto'
import {
  type Clock,
  ConfigError,
  type Decision,
  type Event,
  type Exchange,
  escapeHtml,
  networkOf,
  pageLanguage,
  type RandomSource,
} from '@postern/core'
import { hostCookieName, readOwnCookies, setCookie } from '../headers/cookie.ts'
import { canonicalAccount } from './account-name.ts'
import { takeOne } from './bucket.ts'
import { newDevice, withDevice } from './device-cookie.ts'
import type { KeyedHash } from './keyed-hash.ts'
import { KNOWN_FOR, type LaneRules } from './lane-rules.ts'
import { openLink, requestLink } from './link.ts'
import { loginField } from './login-body.ts'
import { linkEvent } from './login-events.ts'
import { loginPage } from './login-page.ts'
import { type LoginRecord, spellingIn } from './login-record.ts'
import { LINK_PATH } from './login-refusal.ts'
import type { LoginStore } from './login-store.ts'
import { LOGIN_WORDS, type LoginWords } from './login-words.ts'
import { mailboxOf } from './mailbox.ts'
import { RecentMap } from './recent-map.ts'

/** How the owner of an account is reached. */
export interface LinkMail {
  /**
   * Origin that links point to: `https://shop.example`. Never taken from the
   * request, whose Host an attacker chooses.
   */
  readonly origin: string
  /** Where the browser goes once the link was opened; a path of the origin. Default: `/login`. */
  readonly next?: string
  /**
   * Sends the mail, if there is such an account; else does nothing. Called after the answer was
   * decided, so how long it takes tells nothing.
   * @param account as it was typed, or its canonical name where that differs by more than letter case and
   *   nobody ever signed in so. Look it up as your sign-in does, and mail the address that you have stored.
   */
  send(account: string, url: string): Promise<void>
}

export interface LoginLinkOptions {
  readonly mail: LinkMail
  readonly store: LoginStore
  readonly lanes: LaneRules
  readonly hash: KeyedHash
  readonly clock: Clock
  readonly random: RandomSource
  readonly onEvent: (event: Event) => void
  readonly onError: (error: unknown) => void
}

/** Name of the device cookie, before any `__Host-`. */
export const DEVICE_COOKIE = 'postern-device'

/** Requests for links by one client: ten, one more every ten minutes. */
const ASKING = { capacity: 10, every: 600_000 }

/**
 * The lane that is left when all others are empty: a link by mail, whose opening gives that browser a lane
 * of its own. A link is opened by a button, for mail scanners open whatever they find.
 */
export class LoginLinks {
  readonly #options: LoginLinkOptions
  readonly #asking = new RecentMap<number>(10_000)
  readonly #origin: string
  readonly #next: string

  /** @throws ConfigError for an origin or path that cannot be one */
  constructor(options: LoginLinkOptions) {
    this.#options = options
    this.#origin = originOf(options.mail.origin)
    this.#next = pathOf(options.mail.next ?? '/login')
  }

  /** Serves the pages under `/.postern/login-link`. */
  async serve(exchange: Exchange): Promise<Decision> {
    const { canonical, query } = exchange.path
    if (canonical === LINK_PATH && exchange.method === 'POST') return this.#ask(exchange)
    if (canonical === `${LINK_PATH}/open` && exchange.method === 'POST') return this.#open(exchange)
    if (canonical === LINK_PATH && (exchange.method === 'GET' || exchange.method === 'HEAD'))
      return confirm(exchange, new URLSearchParams(query).get('token') ?? '')
    return page(exchange, 404, 'nothing')
  }

  /**
   * The same answer whether there is such an account, whether a link lives already,
   * or whether the client asks too often.
   */
  async #ask(exchange: Exchange): Promise<Decision> {
    const typed = (await loginField(exchange, 'account')) ?? ''
    const account = canonicalAccount(typed)
    if (account !== undefined && this.#mayAsk(exchange)) {
      this.#mail(exchange, account, typed).catch((error: unknown) => this.#options.onError(error))
    }
    return page(exchange, 200, 'mailed')
  }

  #mayAsk(exchange: Exchange): boolean {
    const now = this.#options.clock.now()
    const client = networkOf(exchange.client)
    const taken = takeOne(this.#asking.get(client) ?? 0, ASKING, now)
    if (taken !== undefined) this.#asking.set(client, taken)
    return taken !== undefined
  }

  async #mail(exchange: Exchange, account: string, typed: string): Promise<void> {
    const { store, lanes, hash, random, clock, mail } = this.#options
    const token = Buffer.from(random.bytes(32)).toString('base64url')
    const key = hash.of('account', account)
    const spelling = hash.of('spelling', typed)
    const canonical = hash.of('spelling', account)
    const mails = await store.update(key, record => {
      const isTheirs = isCaseOf(typed, account) || spellingIn(record, spelling) !== ''
      const as = isTheirs ? spelling : spellingIn(record, canonical)
      const asked = { digest: digestOf(token), spelling: as }
      const said = requestLink(record, asked, lanes, clock.now())
      if (said.kind !== 'mail') return { result: undefined }
      const to = isTheirs ? typed.trim() : account
      return { record: said.record, result: { to, isShared: !isSignedInTo(record) } }
    })
    if (mails === undefined || (mails.isShared && !(await this.#mayMailTo(account)))) return
    await mail.send(mails.to, `${this.#origin}${LINK_PATH}?token=${key}.${token}`)
    this.#options.onEvent(linkEvent(exchange, key, 'mailed'))
  }

  /** All ways to write one mailbox in which nobody ever signed in are mailed as one account is. */
  async #mayMailTo(account: string): Promise<boolean> {
    const { store, lanes, hash, clock } = this.#options
    const mailbox = mailboxOf(account)
    if (mailbox === undefined) return true
    const now = clock.now()
    return store.update(hash.of('mailbox', mailbox), record =>
      requestLink(record, { digest: '', spelling: '' }, lanes, now).kind === 'mail'
        ? { record: { ...record, mailedAt: now, touched: now }, result: true }
        : { result: false },
    )
  }

  async #open(exchange: Exchange): Promise<Decision> {
    const [key = '', token = ''] = ((await loginField(exchange, 'token')) ?? '').split('.', 2)
    const { store, hash, random, clock } = this.#options
    const device = newDevice(random)
    const opened =
      /^[\w-]{22}$/.test(key) &&
      /^[\w-]{43}$/.test(token) &&
      (await store.update(key, record => {
        const next = openLink(record, digestOf(token), device, clock.now())
        return next === undefined ? { result: false } : { record: next, result: true }
      }))
    if (!opened) return page(exchange, 410, 'ended')
    const name = hostCookieName(DEVICE_COOKIE, exchange.scheme)
    const value = withDevice(readOwnCookies(exchange.header('cookie'), name), key, device, hash)
    exchange.reply('Set-Cookie', deviceCookie(exchange, value))
    this.#options.onEvent(linkEvent(exchange, key, 'opened'))
    return {
      effect: 'allow',
      answer: { status: 303, headers: ['Location', this.#next, 'Cache-Control', 'no-store'], body: '' },
    }
  }
}

/**
 * The `Set-Cookie` of the device cookie: Lax, so that it is there when somebody
 * comes to the sign-in page from elsewhere.
 */
export function deviceCookie(exchange: Exchange, value: string): string {
  const secure = exchange.scheme === 'https' ? 'secure' : 'insecure'
  return setCookie(hostCookieName(DEVICE_COOKIE, exchange.scheme), value, {
    maxAge: KNOWN_FOR / 1_000,
    sameSite: 'Lax',
    secure,
  })
}

function confirm(exchange: Exchange, token: string): Decision {
  const { go } = LOGIN_WORDS[pageLanguage(exchange)].confirm
  return page(
    exchange,
    200,
    'confirm',
    `
<form method="post" action="${LINK_PATH}/open"><input type="hidden" name="token" value="${escapeHtml(token.slice(0, 100))}"><button>${escapeHtml(go)}</button></form>`,
  )
}

/** @param form HTML below the text */
function page(
  exchange: Exchange,
  status: number,
  kind: keyof Pick<LoginWords, 'mailed' | 'confirm' | 'ended' | 'nothing'>,
  form = '',
): Decision {
  const language = pageLanguage(exchange)
  const words = LOGIN_WORDS[language][kind]
  const { type, text, policy } = loginPage(language, words.title, `<p>${escapeHtml(words.text)}</p>${form}`)
  return {
    effect: 'allow',
    answer: {
      status,
      headers: [
        'Content-Type',
        type,
        'Content-Security-Policy',
        policy ?? "default-src 'none'",
        'Cache-Control',
        'no-store',
        'Referrer-Policy',
        'no-referrer',
        'X-Content-Type-Options',
        'nosniff',
      ],
      body: text,
    },
  }
}

/**
 * Whether a text differs from the canonical name by letter case only. To an application that tells `Ann` from
 * `ann` these are two owners. What differs by more may be an address of the attacker's (`ann@exämple.com`) by
 * which a database finds the owner's.
 */
function isCaseOf(typed: string, canonical: string): boolean {
  return typed.trim().toLowerCase() === canonical
}

function isSignedInTo({ devices, networks }: LoginRecord): boolean {
  return devices.length > 0 || networks.length > 0
}

function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}

function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.origin !== text.replace(/\/$/, ''))
    throw new ConfigError({
      place: 'login.link.origin',
      problem: `"${text.slice(0, 100)}" is not an origin`,
      hint: 'write scheme, host and port only, e.g. https://shop.example',
    })
  return url.origin
}

/**
 * A path of this origin and no other: `//evil.example` and `/\evil.example` are other origins for a browser.
 */
function pathOf(text: string): string {
  if (/^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(text)) return text
  throw new ConfigError({
    place: 'login.link.next',
    problem: `"${text.slice(0, 100)}" is not a path`,
    hint: 'begin it with one slash, e.g. /login',
  })
}
