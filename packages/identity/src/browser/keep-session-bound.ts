import { sendBound } from './bound-requests.ts'
import { type BoundState, SessionKeeper } from './session-keeper.ts'

/** The parts of a page that are used here, so that no DOM types are needed. */
interface Registration {
  readonly active: { readonly scriptURL: string; readonly state: string } | null
}
interface Container {
  readonly controller: unknown
  getRegistration(scope: string): Promise<Registration | undefined>
  register(url: string, options: { readonly scope: string }): Promise<Registration>
  addEventListener(type: 'controllerchange', listener: () => void): void
}
interface Page {
  readonly navigator?: { readonly serviceWorker?: Container }
  readonly document?: { addEventListener(type: string, listener: () => void): void }
  readonly location: { readonly origin: string; readonly href: string }
  addEventListener(type: string, listener: () => void): void
}

const SCRIPT = '/.postern/bind/session.js'
/** Milliseconds until the next try when the server did not answer. */
const AGAIN = 15_000
/** The longest time that a timer can count. */
const LONGEST = 2_000_000_000

/** What a page can do with its session. */
export interface BoundPage {
  /** What became of the session when the page was opened. */
  readonly state: Promise<BoundState>
  /**
   * Settles when a service worker is at work, so that it sees the next page from its start, or when there is
   * none to wait for.
   */
  readonly worker: Promise<void>
  /** Takes the cookie away where its key is not in this browser. */
  forget(): Promise<void>
}

/**
 * Keeps the session of this page bound to a key of this browser (`bind: { withoutDbsc: webcrypto }`):
 * registers one after a sign-in, renews the cookie well before its end, and lets `fetch` wait for it. To be
 * called once, before the application asks for anything. Where the origin has no service worker, one is
 * installed that does the same for everything else that the page loads and sends.
 * @example
 * import { keepSessionBound } from '@postern/identity/browser'
 * keepSessionBound()
 */
export function keepSessionBound(): BoundPage {
  const page = globalThis as typeof globalThis & Page
  // Where pages are rendered on a server there is nothing to bind.
  if (page.document === undefined)
    return { state: Promise.resolve('none'), worker: Promise.resolve(), forget: async () => {} }
  const keeper = new SessionKeeper()
  const plainFetch = page.fetch.bind(page)
  let timer: ReturnType<typeof setTimeout> | undefined

  const plan = (state: BoundState): BoundState => {
    clearTimeout(timer)
    const due = state === 'away' ? AGAIN : keeper.untilRenewal()
    if (due !== undefined) timer = setTimeout(renew, Math.min(due, LONGEST))
    return state
  }
  const renew = (): void => {
    keeper.keep('when-due').then(plan, () => {})
  }
  page.fetch = (input, init) => {
    const request = new Request(input, init)
    if (new URL(request.url).origin !== page.location.origin) return plainFetch(input, init)
    const later = (work: Promise<unknown>): void => {
      work.then(() => plan('bound')).catch(() => {})
    }
    return sendBound(keeper, request, plainFetch, later)
  }
  // A page that was asleep, or without a network.
  page.document.addEventListener('visibilitychange', renew)
  page.addEventListener('online', renew)
  const worker = installWorker(page.navigator?.serviceWorker).catch(() => {})
  return { state: keeper.keep('always').then(plan), worker, forget: () => keeper.forget() }
}

/** A worker of the application is left alone: it may import the script. */
async function installWorker(container: Container | undefined): Promise<void> {
  if (container === undefined) return
  const present = await container.getRegistration('/')
  if (present?.active != null && !present.active.scriptURL.endsWith(SCRIPT)) return
  const { active } = await container.register(SCRIPT, { scope: '/' })
  if (container.controller !== null || active?.state === 'activated') return
  await new Promise<void>(resolve => container.addEventListener('controllerchange', resolve))
}
