import type { Decision } from '@postern/core'

/** Where browsers register keys and prove possession. */
export const BIND_PATH = '/.postern/bind'

/** An answer of Postern's own, which nothing stores. */
export function served(status: number, headers: readonly string[], body: string): Decision {
  return {
    effect: 'allow',
    answer: { status, headers: [...headers, 'Cache-Control', 'no-store'], body },
  }
}

/** An answer as JSON, for the browser or the script. */
export function servedJson(status: number, headers: readonly string[], value: object): Decision {
  return served(
    status,
    ['Content-Type', 'application/json', 'X-Content-Type-Options', 'nosniff', ...headers],
    JSON.stringify(value),
  )
}
