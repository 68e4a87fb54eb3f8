/**
 * Passkeys and step-up for pages of the application, without dependencies.
 * Everything is asked of this origin.
 * @example
 * import { fetchConfirmed } from '@postern/identity/browser'
 * const answer = await fetchConfirmed('/api/orders/1001', { method: 'DELETE' })
 */

/**
 * Why a call did not succeed: `cancelled` by the person or the browser, `refused` by the server,
 * `signed-out`, `gone` when it took too long.
 */
export type PasskeyFault = 'cancelled' | 'refused' | 'signed-out' | 'step-up' | 'gone' | 'unsupported'

/** What every call of this module throws. */
export class PasskeyError extends Error {
  readonly fault: PasskeyFault

  constructor(fault: PasskeyFault) {
    super(`passkey: ${fault}`)
    this.name = 'PasskeyError'
    this.fault = fault
  }
}

/** Below which path identity answers, and where the browser goes afterwards. */
export interface PasskeyOptions {
  /** Default `/.postern`. */
  readonly base?: string
  /** Where to go back to; a path of this origin. */
  readonly back?: string
}

/** The parts of the browser's API that are used here, so that no DOM types are needed. */
interface Credential {
  toJSON(): unknown
}
interface Container {
  create(options: { publicKey: unknown }): Promise<Credential | null>
  get(options: { publicKey: unknown }): Promise<Credential | null>
}
interface Page {
  readonly navigator?: { readonly credentials?: Container }
  readonly PublicKeyCredential?: {
    parseCreationOptionsFromJSON?(options: unknown): unknown
    parseRequestOptionsFromJSON?(options: unknown): unknown
  }
}

const page = globalThis as typeof globalThis & Page

/** Whether this browser can do what this module needs. */
export function hasPasskeys(): boolean {
  return page.PublicKeyCredential?.parseRequestOptionsFromJSON !== undefined
}

/** Adds a passkey to the account that is signed in. @param name what its owner calls the device */
export async function createPasskey(name: string, options: PasskeyOptions = {}): Promise<void> {
  const base = options.base ?? '/.postern'
  const offer = await post(`${base}/passkey/register-options`, {})
  const answer = await ask(credentials =>
    credentials.create({ publicKey: page.PublicKeyCredential?.parseCreationOptionsFromJSON?.(offer) }),
  )
  await post(`${base}/passkey/register?name=${encodeURIComponent(name)}`, answer)
}

/** Signs in with a passkey. @returns where to go */
export function signInWithPasskey(options: PasskeyOptions = {}): Promise<string> {
  return sign(options, '/passkey/sign-in-options', '/passkey/sign-in', {})
}

/** Proves again that the holder of the session is there. @returns where to go */
export function proveWithPasskey(options: PasskeyOptions = {}): Promise<string> {
  return sign(options, '/passkey/prove-options', '/passkey/prove', {})
}

/**
 * Signs the one act that the server asked to confirm. @param id of the question, from
 * its page's address @returns where to go
 */
export function confirmAct(id: string, options: PasskeyOptions = {}): Promise<string> {
  return sign(options, '/confirm/options', '/confirm/answer', { id })
}

/**
 * `fetch`, and when the server asks for a step-up first, that and the same request again, once. The body must
 * be one that can be sent twice: text, not a stream.
 */
export async function fetchConfirmed(
  input: string | URL,
  init: RequestInit = {},
  options: PasskeyOptions = {},
): Promise<Response> {
  const first = await fetch(input, init)
  const demand = first.headers.get('www-authenticate') ?? ''
  if (!demand.includes('insufficient_user_authentication')) return first
  const location = /postern_location="([^"]+)"/.exec(demand)?.[1]
  if (location === undefined || !hasPasskeys()) return first
  const id = /\/confirm\?id=([\w-]+)$/.exec(location)?.[1]
  if (id !== undefined) await confirmAct(id, options)
  else if (location.includes('/step-up')) await proveWithPasskey(options)
  else return first
  return fetch(input, init)
}

async function sign(
  options: PasskeyOptions,
  ask1: string,
  answer1: string,
  query: Readonly<Record<string, string>>,
): Promise<string> {
  const base = options.base ?? '/.postern'
  const fields = new URLSearchParams(query)
  if (options.back !== undefined && options.back !== '') fields.set('back', options.back)
  const offer = await post(`${base}${ask1}?${fields}`, {})
  const answer = await ask(credentials =>
    credentials.get({ publicKey: page.PublicKeyCredential?.parseRequestOptionsFromJSON?.(offer) }),
  )
  const { location } = (await post(`${base}${answer1}?${fields}`, answer)) as { readonly location?: unknown }
  return typeof location === 'string' && location.startsWith('/') ? location : '/'
}

async function ask(use: (credentials: Container) => Promise<Credential | null>): Promise<unknown> {
  const credentials = page.navigator?.credentials
  if (credentials === undefined || !hasPasskeys()) throw new PasskeyError('unsupported')
  const made = await use(credentials).catch(() => null)
  if (made === null) throw new PasskeyError('cancelled')
  return made.toJSON()
}

async function post(url: string, body: unknown): Promise<unknown> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
    credentials: 'same-origin',
    redirect: 'error',
  })
  const value: unknown = await answer.json().catch(() => undefined)
  if (answer.ok) return value
  const error = typeof value === 'object' && value !== null && 'error' in value ? value.error : undefined
  throw new PasskeyError(
    error === 'signed-out' || error === 'step-up' || error === 'gone' ? error : 'refused',
  )
}
