import { useState } from 'react'
import { ApiError, ask } from './api.ts'
import { ownKey } from './own-key.ts'

/** What came back when one of the attacks of the first minute was sent. */
export interface Tried {
  readonly statuses: readonly number[]
  readonly requests: readonly string[]
}

/** Where one attack stands: under way, what it did, or what went wrong. */
export type Attempt =
  | { readonly kind: 'sending' }
  | { readonly kind: 'done'; readonly tried: Tried; readonly wasRefused: boolean }
  | { readonly kind: 'failed'; readonly message: string }

const KEY = ownKey('attacks')

/** How many of the requests were refused by Postern: wrong passwords are answered by the backend. */
export function refusedOf({ statuses }: Tried): number {
  return statuses.filter(status => status === 403 || status === 429).length
}

function remembered(): Readonly<Record<string, Attempt>> {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? '{}')
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, Attempt>>) : {}
  } catch {
    return {}
  }
}

/** The attacks that were sent from this page, by name. They are still there when somebody comes back from one. */
export function useAttacks(): {
  readonly attempts: Readonly<Record<string, Attempt>>
  run(name: string): Promise<void>
} {
  const [attempts, setAttempts] = useState(remembered)
  const put = (name: string, attempt: Attempt): void =>
    setAttempts(before => {
      const after = { ...before, [name]: attempt }
      if (attempt.kind !== 'sending') sessionStorage.setItem(KEY, JSON.stringify(after))
      return after
    })
  return {
    attempts,
    run: async name => {
      const last = attempts[name]
      const wasRefused = last?.kind === 'done' && (last.wasRefused || refusedOf(last.tried) > 0)
      put(name, { kind: 'sending' })
      try {
        put(name, {
          kind: 'done',
          tried: await ask<Tried>(`/attacks/${name}`, { method: 'POST' }),
          wasRefused,
        })
      } catch (error) {
        put(name, {
          kind: 'failed',
          message: error instanceof ApiError ? error.message : 'Something went wrong.',
        })
      }
    },
  }
}
