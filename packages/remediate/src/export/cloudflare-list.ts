import {
  type Address,
  boundedText,
  type Clock,
  ConfigError,
  type Duration,
  networkOf,
  parseDuration,
  StoreError,
  systemClock,
} from '@postern/core'
import { coveringNetworks } from './covering-networks.ts'
import { type ExportedStore, exportedRemediations } from './exported-remediations.ts'

/** The list of an account, and the token that may change it. */
export interface CloudflareListOptions {
  readonly store: ExportedStore
  /** Id of the account. */
  readonly account: string
  /** Id of an IP list, which a rule of yours blocks: `ip.src in $postern`. */
  readonly list: string
  /** An API token that may edit account filter lists. Never logged or shown. */
  readonly token: string
  /** Most items kept in the list: those that last longest. Default: 10,000. */
  readonly capacity?: number
  /** Items per request. Default: 500. */
  readonly batch?: number
  /** Polling interval of a running operation. Default: 1 second. */
  readonly poll?: Duration
  /** Default: `https://api.cloudflare.com/client/v4`. */
  readonly api?: string
  readonly clock?: Clock
  /** The network, passed in. */
  readonly fetch?: typeof globalThis.fetch
  /** Waits that long, in milliseconds. */
  readonly wait?: (ms: number) => Promise<void>
}

/** How many items an export added to the list and removed from it. */
export interface CloudflareChange {
  readonly added: number
  readonly removed: number
}

interface Item {
  readonly id: string
  readonly ip: string
  readonly comment: string
}

/** Items with another comment were added by people, and stay. */
const MARK = 'postern'
const TIMEOUT_MS = 30_000
const MAX_POLLS = 120
const MAX_PAGES = 100
const MAX_ANSWER = 4_194_304

/**
 * Synchronizes a Cloudflare list (Lists API) with what is blocked here: reads it, adds and removes the
 * difference in batches, and waits for each operation, since Cloudflare runs one at a time. Only items that
 * carry our mark are removed. Cloudflare takes IPv6 up to /64, so longer ones are widened to their /64. Run
 * it every minute or so; entries do not expire by themselves.
 * @throws ConfigError for malformed ids or tokens; StoreError when Cloudflare refuses or does not answer
 */
export async function exportToCloudflare(options: CloudflareListOptions): Promise<CloudflareChange> {
  const api = new CloudflareApi(options)
  const now = (options.clock ?? systemClock).now()
  const batch = Math.min(1_000, Math.max(1, options.batch ?? 500))
  const wanted = new Map<string, string>()
  for (const [network, remediation] of coveringNetworks(exportedRemediations(options.store), now)) {
    if (wanted.size >= (options.capacity ?? 10_000)) break
    const ip = listable(network)
    // Widened, it may hold an address that is protected.
    if (ip !== undefined && !options.store.isProtected({ kind: 'network', value: ip }))
      wanted.set(ip, `${MARK}: ${remediation.origin}`.replace(/[^\x20-\x7e]/g, '?').slice(0, 100))
  }
  const present = await api.items()
  const has = new Set(present.map(item => item.ip))
  const additions = [...wanted].filter(([ip]) => !has.has(ip)).map(([ip, comment]) => ({ ip, comment }))
  const removals = present
    .filter(item => item.comment.startsWith(MARK) && !wanted.has(item.ip))
    .map(({ id }) => ({ id }))
  // Removing first makes room in a list that is full.
  for (let i = 0; i < removals.length; i += batch)
    await api.change('DELETE', { items: removals.slice(i, i + batch) })
  for (let i = 0; i < additions.length; i += batch) await api.change('POST', additions.slice(i, i + batch))
  return { added: additions.length, removed: removals.length }
}

/** The form of a network that Cloudflare takes: IPv4 /8 to /32, IPv6 /12 to /64. */
function listable(network: string): string | undefined {
  const [base = '', bits] = network.split('/')
  if (base.includes(':')) {
    const width = bits === undefined ? 128 : Number(bits)
    if (width < 12) return undefined
    return width > 64 ? networkOf(base as Address, { v6: 64 }) : network
  }
  return bits !== undefined && Number(bits) < 8 ? undefined : network
}

class CloudflareApi {
  readonly #base: string
  readonly #operations: string
  readonly #token: string
  readonly #fetch: typeof globalThis.fetch
  readonly #wait: (ms: number) => Promise<void>
  readonly #poll: number

  constructor(options: CloudflareListOptions) {
    for (const [place, id] of [
      ['account', options.account],
      ['list', options.list],
    ] as const) {
      if (!/^[0-9a-f]{32}$/.test(id))
        throw new ConfigError({
          place: `cloudflare.${place}`,
          problem: 'is not a Cloudflare id',
          hint: '32 hexadecimal digits',
        })
    }
    if (!/^[\x21-\x7e]{1,256}$/.test(options.token))
      throw new ConfigError({
        place: 'cloudflare.token',
        problem: 'is not a token',
        hint: 'make an API token with the right Account Filter Lists: Edit',
      })
    const lists = `${options.api ?? 'https://api.cloudflare.com/client/v4'}/accounts/${options.account}/rules/lists`
    this.#base = `${lists}/${options.list}/items`
    this.#operations = `${lists}/bulk_operations`
    this.#token = options.token
    this.#fetch = options.fetch ?? globalThis.fetch
    this.#wait = options.wait ?? (ms => new Promise(resolve => setTimeout(resolve, ms)))
    this.#poll = parseDuration(options.poll ?? '1s', 'cloudflare.poll')
  }

  async items(): Promise<readonly Item[]> {
    const items: Item[] = []
    let cursor = ''
    for (let page = 0; page < MAX_PAGES; page++) {
      const query = new URLSearchParams({ per_page: '500', ...(cursor !== '' && { cursor }) })
      const answer = await this.#call('GET', `${this.#base}?${query}`)
      for (const item of Array.isArray(answer.result) ? answer.result : []) {
        const { id, ip, comment } = item as Partial<Item>
        if (typeof id === 'string' && typeof ip === 'string') items.push({ id, ip, comment: comment ?? '' })
      }
      cursor = answer.after
      if (cursor === '') return items
    }
    throw failure('the list has more pages than it may have', false)
  }

  /** Starts an operation and waits until it has ended. */
  async change(method: 'POST' | 'DELETE', body: unknown): Promise<void> {
    const { result } = await this.#call(method, this.#base, body)
    const operation = (result as { operation_id?: unknown } | null)?.operation_id
    if (typeof operation !== 'string' || !/^[\w-]{1,64}$/.test(operation))
      throw failure('names no operation', false)
    for (let i = 0; i < MAX_POLLS; i++) {
      const state = (await this.#call('GET', `${this.#operations}/${operation}`)).result as {
        status?: string
        error?: string
      } | null
      if (state?.status === 'completed') return
      if (state?.status === 'failed')
        throw failure(`the operation failed: ${String(state.error).slice(0, 200)}`, true)
      await this.#wait(this.#poll)
    }
    throw failure('the operation does not end', true)
  }

  async #call(method: string, url: string, body?: unknown): Promise<{ result: unknown; after: string }> {
    let response: Response
    let value: unknown
    try {
      response = await this.#fetch(url, {
        method,
        headers: { Authorization: `Bearer ${this.#token}`, 'Content-Type': 'application/json' },
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      value = JSON.parse(await boundedText(response, MAX_ANSWER)) as unknown
    } catch (cause) {
      throw failure('does not answer', true, cause)
    }
    const {
      success,
      result,
      errors,
      result_info: info,
    } = (value ?? {}) as {
      success?: boolean
      result?: unknown
      errors?: readonly { message?: string }[]
      result_info?: { cursors?: { after?: string } }
    }
    if (!response.ok || success !== true) {
      const why = String(errors?.[0]?.message ?? '').slice(0, 200)
      throw failure(
        `answers ${response.status} ${why}`.trim(),
        response.status === 429 || response.status >= 500,
      )
    }
    return { result, after: info?.cursors?.after ?? '' }
  }
}

function failure(message: string, retryable: boolean, cause?: unknown): StoreError {
  return new StoreError(message, { store: 'cloudflare', retryable, ...(cause !== undefined && { cause }) })
}
