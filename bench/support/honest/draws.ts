/** A request that honest clients send, of one kind. */
export interface HonestRequest {
  readonly kind: string
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer
}

/** Chance that is the same in every run, and the requests that were made up with it so far. */
export interface Draws {
  /** From 0 to 1. */
  readonly rnd: () => number
  /** A whole number below `n`. */
  readonly int: (n: number) => number
  readonly pick: <T>(list: readonly T[]) => T
  readonly bytes: (n: number) => Buffer
  readonly hex: (n: number) => string
  readonly b64: (n: number) => string
  readonly b64u: (n: number) => string
  readonly host: () => string
  readonly out: HonestRequest[]
  /** Adds a JSON post. */
  readonly post: (kind: string, path: string, value: unknown) => void
  readonly get: (kind: string, path: string, headers?: Readonly<Record<string, string>>) => void
}

/** The headers of a JSON body. */
export const J: Readonly<Record<string, string>> = { 'content-type': 'application/json' }

/** @param seed the same one draws the same */
export function honestDraws(seed: number): Draws {
  let state = seed
  const out: HonestRequest[] = []
  const rnd = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 4294967296
  }
  const int = (n: number): number => Math.floor(rnd() * n)
  const pick = <T>(list: readonly T[]): T => list[int(list.length)] as T
  const bytes = (n: number): Buffer => {
    const drawn = Buffer.alloc(n)
    for (let i = 0; i < n; i++) drawn[i] = int(256)
    return drawn
  }
  return {
    rnd,
    int,
    pick,
    bytes,
    out,
    hex: n => bytes(n).toString('hex'),
    b64: n => bytes(n).toString('base64'),
    b64u: n => bytes(n).toString('base64url'),
    host: () =>
      `${pick(['shop', 'app', 'www', 'api', 'id', 'pay', 'grafana', 'cdn', 'docs'])}.${pick(['example.com', 'example.org', 'acme.test', 'corp.example.net'])}`,
    post: (kind, path, value) =>
      out.push({ kind, method: 'POST', path, headers: J, body: JSON.stringify(value) }),
    get: (kind, path, headers = {}) => out.push({ kind, method: 'GET', path, headers, body: '' }),
  }
}
