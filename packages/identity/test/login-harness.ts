import { createHash } from 'node:crypto'
import {
  type Decision,
  Engine,
  type Event,
  type Exchange,
  HeaderListHead,
  type RandomSource,
  type RouteSettings,
  RouteTable,
  VirtualClock,
} from '@postern/core'
import { LoginDefence, type LoginDefenceOptions } from '../src/login-entry.ts'

/** Bytes that look random and are the same in every run. */
export function seededRandom(seed: string): RandomSource {
  let counter = 0
  return {
    bytes: count => {
      const blocks: Buffer[] = []
      for (let have = 0; have < count; have += 32)
        blocks.push(createHash('sha256').update(`${seed}:${counter++}`).digest())
      return new Uint8Array(Buffer.concat(blocks).subarray(0, count))
    },
  }
}

export const SECRET: Uint8Array = new Uint8Array(32).fill(7)

export interface Request {
  readonly method?: string
  readonly path?: string
  readonly address?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly type?: string
  readonly secure?: boolean
}

/** What the handler says. */
export interface Backend {
  readonly status: number
  readonly headers?: readonly string[]
  readonly body?: string
}

export interface Reply {
  readonly decision: Decision
  readonly exchange: Exchange
  readonly status: number
  readonly headers: readonly string[]
  /** Whether the handler was asked. */
  readonly handled: boolean
}

/** An engine with the login defence in front of a handler, on a virtual clock. */
export class LoginWorld {
  readonly clock: VirtualClock = new VirtualClock()
  readonly events: Event[] = []
  readonly errors: unknown[] = []
  readonly engine: Engine
  readonly defence: LoginDefence
  handled = 0
  backend: (body: string, exchange: Exchange) => Backend

  constructor(
    routes: Readonly<Record<string, RouteSettings>>,
    backend: (body: string, exchange: Exchange) => Backend,
    options: Partial<LoginDefenceOptions> = {},
  ) {
    this.backend = backend
    this.defence = new LoginDefence({
      secret: SECRET,
      clock: this.clock,
      random: seededRandom('world'),
      onEvent: event => this.events.push(event),
      onError: error => this.errors.push(error),
      ...options,
    })
    this.engine = new Engine({
      guards: [this.defence],
      routes: new RouteTable(routes),
      clock: this.clock,
      onError: (_, error) => this.errors.push(error),
    })
  }

  async send(request: Request): Promise<Reply> {
    const { method = 'POST', path = '/login', address = '192.0.2.1', body } = request
    const bytes = body === undefined ? undefined : Buffer.from(body)
    const headers = Object.entries({
      host: 'shop.example',
      ...(bytes !== undefined && { 'content-type': request.type ?? 'application/json' }),
      ...request.headers,
    }).flat()
    const exchange = this.engine.open({
      method,
      target: path,
      headers,
      peer: address,
      secure: request.secure ?? true,
      httpVersion: '1.1',
      native: undefined,
      body:
        bytes === undefined
          ? undefined
          : { read: async limit => ({ bytes: bytes.subarray(0, limit), complete: bytes.length <= limit }) },
    })
    const decision = await this.engine.decide(exchange)
    const served = decision.effect === 'allow' ? decision.answer : undefined
    if (decision.effect !== 'allow' || served !== undefined) {
      const status = decision.effect === 'allow' ? (served?.status ?? 0) : decision.status
      this.engine.settle(exchange, { status, duration: 1, bytes: 0, aborted: false })
      await settled()
      const list = [...(served?.headers ?? []), ...(exchange.replyHeaders ?? [])]
      return { decision, exchange, status, headers: list, handled: false }
    }
    this.handled++
    const answer = this.backend(body ?? '', exchange)
    const head = [...(answer.headers ?? [])]
    this.engine.onAnswer(exchange, new HeaderListHead(answer.status, head))
    exchange.answerWatch?.take(Buffer.from(answer.body ?? ''))
    this.engine.settle(exchange, { status: answer.status, duration: 1, bytes: 0, aborted: false })
    await settled()
    return { decision, exchange, status: answer.status, headers: head, handled: true }
  }
}

/** Lets what was started without waiting (a store in this process, mail) come to its end. */
export function settled(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** The `Cookie` header of a browser that was given these answers. */
export function cookiesOf(...replies: readonly Reply[]): string {
  const jar = new Map<string, string>()
  for (const { headers } of replies)
    for (let i = 0; i < headers.length; i += 2) {
      if (headers[i]?.toLowerCase() !== 'set-cookie') continue
      const [name = '', value = ''] = (headers[i + 1] as string).split(';', 1)[0]?.split('=') ?? []
      jar.set(name, value)
    }
  return [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
}

/** An address of its own for every number, each in a network of its own. */
export function addressOf(index: number): string {
  return `${20 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}.9`
}
