import { ownKey } from './own-key.ts'
import { readEvents } from './server-events.ts'

const TOKEN = ownKey('token')
/** Where 401 says that the proof does not hold, and not that a session ended. */
const SIGNS_IN = /^\/(?:session\/|invitation)/

/** An answer that is not 200: what is wrong, in a sentence. */
export class ApiError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Module state: a page is signed in once. Called when nobody is any more. */
let onSignedOut: () => void = () => undefined

export function whenSignedOut(call: () => void): void {
  onSignedOut = call
}

function address(path: string): URL {
  return new URL(`api${path}`, new URL('./', document.baseURI))
}

function headers(): Record<string, string> {
  return {
    'Content-Type': 'application/json',
    'Console-Token': localStorage.getItem(TOKEN) ?? '',
  }
}

/** Asks the API. @throws ApiError for every answer that is not 200, and when there is none */
export async function ask<Answer>(
  path: string,
  options: { readonly method?: string; readonly body?: object; readonly signal?: AbortSignal } = {},
): Promise<Answer> {
  const { method = 'GET', body = {}, signal } = options
  const response = await fetch(address(path), {
    method,
    headers: headers(),
    ...(method !== 'GET' && { body: JSON.stringify(body) }),
    ...(signal !== undefined && { signal }),
  }).catch((error: unknown) => {
    if (signal?.aborted === true) throw error
    throw new ApiError(0, 'The gateway does not answer. Is it running?')
  })
  const answer: unknown = await response.json().catch(() => ({}))
  if (response.ok) return answer as Answer
  if (response.status === 401 && !SIGNS_IN.test(path)) onSignedOut()
  const message = (answer as { readonly error?: unknown }).error
  throw new ApiError(response.status, typeof message === 'string' ? message : `status ${response.status}`)
}

/** Signs in with the secret of a link and keeps the session's token for this origin. */
export async function signIn(link: string): Promise<void> {
  const { token } = await ask<{ readonly token: string }>('/session', { method: 'POST', body: { link } })
  keepToken(token)
}

/** Keeps the token of a session that began for this origin. */
export function keepToken(token: string): void {
  localStorage.setItem(TOKEN, token)
}

/** Whether this origin has the token of a session, which may have ended. */
export function hasToken(): boolean {
  return localStorage.getItem(TOKEN) !== null
}

/** Calls when another tab signed in, as somebody else perhaps, or out. @returns ends this */
export function whenOtherTabSignsIn(call: () => void): () => void {
  const follow = ({ key }: StorageEvent): void => {
    if (key === TOKEN || key === null) call()
  }
  addEventListener('storage', follow)
  return () => removeEventListener('storage', follow)
}

/** Ends the session. */
export async function signOut(): Promise<void> {
  await ask('/session', { method: 'DELETE' })
  localStorage.removeItem(TOKEN)
  onSignedOut()
}

/**
 * Opens server-sent events, which go on until `signal` ends them: `EventSource` cannot send the session's token.
 * Whatever happens after this resolves reaches `onEvent`.
 * @returns a promise of their end
 * @throws ApiError when they cannot be opened
 */
export async function stream(
  path: string,
  signal: AbortSignal,
  onEvent: (event: string, data: string) => void,
): Promise<{ readonly ended: Promise<void> }> {
  const response = await fetch(address(path), { headers: headers(), signal })
  if (!response.ok || response.body === null) {
    if (response.status === 401) onSignedOut()
    throw new ApiError(response.status, 'The live view cannot be opened.')
  }
  return { ended: readEvents(response.body, onEvent) }
}
