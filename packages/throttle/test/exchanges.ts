import {
  type BodySource,
  CidrSet,
  Engine,
  type EngineOptions,
  type Exchange,
  type Guard,
} from '@postern/core'

export interface RequestShape {
  readonly method?: string
  readonly target?: string
  readonly peer?: string
  readonly headers?: readonly string[]
  readonly body?: string | Uint8Array
}

/** An engine around one guard, for tests. */
export function engineWith(guard: Guard, options: Omit<EngineOptions, 'guards'> = {}): Engine {
  return new Engine({ trustedProxies: CidrSet.parse([]), ...options, guards: [guard] })
}

/** An exchange as a carrier would open it. */
export function open(engine: Engine, shape: RequestShape = {}): Exchange {
  return engine.open({
    method: shape.method ?? 'GET',
    target: shape.target ?? '/',
    headers: shape.headers ?? [],
    peer: shape.peer ?? '192.0.2.1',
    secure: false,
    httpVersion: '1.1',
    body: shape.body === undefined ? undefined : bodyOf(shape.body),
    native: undefined,
  })
}

function bodyOf(body: string | Uint8Array): BodySource {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  return {
    read: limit => Promise.resolve({ bytes: bytes.subarray(0, limit), complete: bytes.length <= limit }),
  }
}

export const ENDED = { status: 200, duration: 5, bytes: 0, aborted: false } as const
