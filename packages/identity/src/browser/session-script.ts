// What `session.js` does where it is loaded: in a service worker, in a page of the application, or in the
// page that Postern shows in place of one while a session is bound.
import { boundWorker } from './bound-worker.ts'
import { keepSessionBound } from './keep-session-bound.ts'

interface Place {
  readonly ServiceWorkerGlobalScope?: unknown
  readonly sessionStorage?: { getItem(key: string): string | null; setItem(key: string, value: string): void }
  readonly document: {
    readonly currentScript: { readonly dataset: Readonly<Record<string, string | undefined>> } | null
    readonly body: { readonly classList: { add(name: string): void } }
  }
  readonly location: { reload(): void }
}

const place = globalThis as typeof globalThis & Place

/** Pages that are reloaded so often in a row are no longer: something is wrong that it does not heal. */
const MOST = 3
/** Milliseconds that a person waits for a service worker, at most. */
const WORKER_PATIENCE = 2_000

function startPage(then: string | undefined): void {
  const bound = keepSessionBound()
  if (then === undefined) return
  bound.state
    .then(async state => {
      if (state === 'lost') await bound.forget()
      const isDone = state !== 'keyless' && state !== 'away'
      if (then === 'reload' && isDone && mayReload()) {
        // A page that begins to load while a worker takes over is never seen by it.
        await Promise.race([bound.worker, pause(WORKER_PATIENCE)])
        place.location.reload()
      } else place.document.body.classList.add('shown')
    })
    .catch(() => {})
}

function pause(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds))
}

/** Counts what happened within the last seconds, where the browser lets it. */
function mayReload(): boolean {
  try {
    const now = Math.floor(Date.now() / 10_000)
    const [time = '', count = '0'] = (place.sessionStorage?.getItem('postern-bind') ?? '').split(' ')
    const next = Number(time) === now ? Number(count) + 1 : 1
    place.sessionStorage?.setItem('postern-bind', `${now} ${next}`)
    return next <= MOST
  } catch {
    return true
  }
}

if (place.ServiceWorkerGlobalScope !== undefined) boundWorker()
else startPage(place.document.currentScript?.dataset['then'])
