import {
  Engine,
  type Exchange,
  type Principal,
  type RouteSettings,
  RouteTable,
  VirtualClock,
} from '@postern/core'

export interface RequestOptions {
  readonly method?: string
  readonly target?: string
  readonly principal?: Principal
  readonly routes?: Readonly<Record<string, RouteSettings>>
  readonly headers?: readonly string[]
  readonly body?: string
  readonly bodyLimit?: number
}

/** One exchange, as an engine opens it. */
export function exchangeOf(options: RequestOptions = {}): Exchange {
  const { body } = options
  const engine = new Engine({
    clock: new VirtualClock(),
    routes: new RouteTable(options.routes ?? {}),
    bodyLimit: options.bodyLimit ?? 1_000,
  })
  const bytes = Buffer.from(body ?? '')
  const exchange = engine.open({
    method: options.method ?? 'GET',
    target: options.target ?? '/',
    headers: ['Host', 'shop.example', ...(options.headers ?? [])],
    peer: '192.0.2.1',
    secure: true,
    httpVersion: '1.1',
    body:
      body === undefined
        ? undefined
        : {
            read: async limit => ({ bytes: bytes.subarray(0, limit), complete: bytes.length <= limit }),
          },
    native: undefined,
  })
  if (options.principal !== undefined) exchange.principal = options.principal
  return exchange
}
