import { sendBound } from './bound-requests.ts'
import { SessionKeeper } from './session-keeper.ts'

/** The parts of a service worker that are used here, so that no DOM types are needed. */
interface FetchEvent {
  readonly request: Request
  respondWith(answer: Promise<Response>): void
  waitUntil(work: Promise<unknown>): void
}
interface LifeEvent {
  waitUntil(work: Promise<unknown>): void
}
interface Worker {
  readonly clients: { claim(): Promise<void> }
  readonly location: { readonly origin: string }
  skipWaiting(): Promise<void>
  addEventListener(type: 'install' | 'activate', listener: (event: LifeEvent) => void): void
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void
}

/**
 * The part of a service worker: requests of this origin wait while the cookie is renewed. With a good cookie
 * they go their own way, as if there was no worker.
 */
export function boundWorker(): void {
  const worker = globalThis as unknown as Worker
  const keeper = new SessionKeeper()
  // Held, so that a worker of the application may wrap it.
  const send = (request: Request): Promise<Response> => fetch(request)
  worker.addEventListener('install', event => event.waitUntil(worker.skipWaiting()))
  worker.addEventListener('activate', event => event.waitUntil(worker.clients.claim()))
  worker.addEventListener('fetch', event => {
    const { request } = event
    const { origin, pathname } = new URL(request.url)
    if (origin !== worker.location.origin || pathname.startsWith('/.postern/bind/')) return
    // What Chromium's developer tools send (crbug.com/823392) cannot be sent again.
    if (request.cache === 'only-if-cached' && request.mode !== 'same-origin') return
    const standing = keeper.standing()
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    // A sign-in may be what is sent; its answer says so. With a session such requests are left alone:
    // through a worker, uploads would show no progress.
    if (standing === 'good' || (standing === 'none' && isRead && request.mode !== 'navigate')) return
    if (standing === 'soon') return event.waitUntil(keeper.keep('when-due'))
    if (standing === 'none' && isRead) return event.waitUntil(keeper.recall())
    event.respondWith(sendBound(keeper, request, send, work => event.waitUntil(work)))
  })
}
