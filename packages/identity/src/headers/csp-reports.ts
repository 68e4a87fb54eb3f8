import type { Decision, Event, Exchange } from '@postern/core'

const MAX_REPORTS = 20
/** Events a minute: a page with a mistake in it makes every visitor report. */
const PER_MINUTE = 60

/**
 * Takes reports of browsers (`application/csp-report`, CSP level 2; `application/reports+json`, the
 * Reporting API) and turns them into `csp.violation` events. They come from anybody, so they are
 * bounded, counted, and say nothing of queries.
 */
export class CspReports {
  readonly #onEvent: (event: Event) => void
  #minute = 0
  #count = 0

  constructor(onEvent: (event: Event) => void) {
    this.#onEvent = onEvent
  }

  async take(exchange: Exchange): Promise<Decision> {
    if (exchange.method !== 'POST') return answer(405)
    const { bytes, complete } = await exchange.readBody()
    const reports = complete && bytes.length <= 65_536 ? parse(Buffer.from(bytes).toString('utf8')) : []
    for (const report of reports) if (this.#hasRoom(exchange.time)) this.#onEvent(eventOf(exchange, report))
    return answer(204)
  }

  #hasRoom(now: number): boolean {
    const minute = Math.floor(now / 60_000)
    if (minute !== this.#minute) {
      this.#minute = minute
      this.#count = 0
    }
    return ++this.#count <= PER_MINUTE
  }
}

interface Violation {
  readonly directive: string
  readonly blocked: string
  readonly page: string
  readonly line: number
}

function parse(text: string): readonly Violation[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return []
  }
  const list = Array.isArray(value) ? value.slice(0, MAX_REPORTS) : [value]
  return list.map(violationOf).filter(one => one !== undefined)
}

function violationOf(report: unknown): Violation | undefined {
  const outer = asObject(report)
  const body = asObject(
    outer?.['csp-report'] ?? (outer?.['type'] === 'csp-violation' ? outer['body'] : undefined),
  )
  if (body === undefined) return undefined
  const text = (...names: string[]): string => {
    const found = names.map(name => body[name]).find(one => typeof one === 'string')
    return typeof found === 'string' ? found : ''
  }
  const line = body['line-number'] ?? body['lineNumber']
  return {
    directive: text('effective-directive', 'effectiveDirective', 'violated-directive').slice(0, 60),
    blocked: withoutQuery(text('blocked-uri', 'blockedURL')),
    page: withoutQuery(text('document-uri', 'documentURL')),
    line: typeof line === 'number' && Number.isSafeInteger(line) ? line : 0,
  }
}

function withoutQuery(url: string): string {
  return (url.split(/[?#]/, 1)[0] ?? '').slice(0, 300)
}

function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)
    : undefined
}

function eventOf(exchange: Exchange, { directive, blocked, page, line }: Violation): Event {
  return {
    type: 'csp.violation',
    time: exchange.time,
    actor: { address: exchange.client },
    data: { directive, blocked, page, line },
  }
}

function answer(status: number): Decision {
  return { effect: 'allow', answer: { status, headers: ['Cache-Control', 'no-store'], body: '' } }
}
