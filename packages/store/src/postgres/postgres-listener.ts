import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { postgresDriver } from '../driver/drivers.ts'
import { unref } from '../driver/unref.ts'
import { endOf } from './pooler.ts'
import { postgresError } from './postgres-error.ts'

interface Subscription {
  readonly onNotice: (payload: string) => void
  readonly onGap: (() => void) | undefined
}

const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 5_000
/** How long a notification may take that shows whether any come. */
const PROBE_MS = 1_000
const POLL_MS = 800
/**
 * Notices of one channel in a window that are passed on one by one. Every role that may connect can send a
 * million with one statement, and each makes subscribers read.
 */
const MOST_NOTICES = 500
const WINDOW_MS = 1_000

/**
 * One connection that listens, for all channels of a database. When it breaks it is made again, with growing
 * pauses, and every channel is listened to again; then subscribers hear that they may have missed something.
 */
export class PostgresListener {
  readonly #config: pg.ClientConfig
  readonly #store: string
  readonly #heartbeatMs: number
  readonly #notify: (channel: string, payload: string) => Promise<void>
  /** Runs while notifications do not reach us. */
  #polling: NodeJS.Timeout | undefined
  readonly #channels = new Map<string, Set<Subscription>>()
  /** Notices of the window at hand, by channel. */
  readonly #flows = new Map<string, { readonly until: number; count: number }>()
  #client: Promise<pg.Client> | undefined
  #retry: NodeJS.Timeout | undefined
  #heartbeat: NodeJS.Timeout | undefined
  #failures = 0
  #isClosed = false

  /**
   * @param heartbeat milliseconds between two questions whether the connection, which can be dead without
   * saying so, is alive
   */
  constructor(
    config: pg.ClientConfig,
    store: string,
    heartbeat: number,
    timeout: number,
    notify: (channel: string, payload: string) => Promise<void>,
  ) {
    this.#config = { ...config, query_timeout: timeout }
    this.#notify = notify
    this.#store = store
    this.#heartbeatMs = heartbeat
  }

  /** See `PostgresDatabase.listen`. */
  async listen(
    channel: string,
    onNotice: (payload: string) => void,
    onGap: (() => void) | undefined,
  ): Promise<() => Promise<void>> {
    const subscription: Subscription = { onNotice, onGap }
    const existing = this.#channels.get(channel)
    const subscriptions = existing ?? new Set()
    subscriptions.add(subscription)
    this.#channels.set(channel, subscriptions)
    try {
      const client = await this.#connected()
      await client.query(`LISTEN ${postgresDriver().escapeIdentifier(channel)}`)
    } catch (error) {
      this.#remove(channel, subscription)
      throw postgresError(error, this.#store)
    }
    return () => this.#unlisten(channel, subscription)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#retry)
    clearInterval(this.#heartbeat)
    clearInterval(this.#polling)
    this.#channels.clear()
    const client = await this.#client?.catch(() => undefined)
    this.#client = undefined
    await client?.end().catch(() => {})
  }

  async #unlisten(channel: string, subscription: Subscription): Promise<void> {
    if (!this.#remove(channel, subscription) || this.#client === undefined) return
    const client = await this.#client.catch(() => undefined)
    await client?.query(`UNLISTEN ${postgresDriver().escapeIdentifier(channel)}`).catch(() => {})
  }

  /** @returns whether nobody listens to the channel any more */
  #remove(channel: string, subscription: Subscription): boolean {
    const subscriptions = this.#channels.get(channel)
    subscriptions?.delete(subscription)
    if (subscriptions?.size !== 0) return false
    return this.#channels.delete(channel)
  }

  #connected(): Promise<pg.Client> {
    this.#client ??= this.#connect()
    return this.#client
  }

  async #connect(): Promise<pg.Client> {
    clearTimeout(this.#retry)
    this.#retry = undefined
    const { Client } = postgresDriver()
    const client = new Client(this.#config)
    // `end` follows every way a connection can go; `error` must be heard, or Node ends the process.
    client.on('error', () => {})
    client.on('notification', ({ channel, payload }) => {
      const subscriptions = this.#channels.get(channel)
      // Not the channels of a trial, for they are others each time.
      if (subscriptions === undefined || !this.#isCarried(channel)) return
      for (const { onNotice } of subscriptions) onNotice(payload ?? '')
    })
    try {
      await client.connect()
      // An idle connection lets the process end; a statement keeps it, by the timer of its deadline.
      unref(client)
      for (const channel of this.#channels.keys())
        await client.query(`LISTEN ${postgresDriver().escapeIdentifier(channel)}`)
    } catch (error) {
      await client.end().catch(() => {})
      this.#heal()
      throw error
    }
    client.once('end', () => this.#heal())
    this.#failures = 0
    void this.#checkPooler(client)
    this.#heartbeat = setInterval(() => {
      client.query('SELECT 1').catch(() => client.end().catch(() => {}))
    }, this.#heartbeatMs)
    this.#heartbeat.unref()
    return client
  }

  /**
   * A pooler that hands its sessions out by transaction takes LISTEN and delivers nothing. Whether it does is
   * tried, from another connection; if nothing comes, subscribers are notified each second that they may have
   * missed something.
   */
  async #checkPooler(client: pg.Client): Promise<void> {
    clearInterval(this.#polling)
    this.#polling = undefined
    const isLost = async (): Promise<boolean> => {
      if ((await endOf(client, text => client.query(text))) === 'server') return false
      const channel = `postern_probe_${randomUUID()}`
      await client.query(`LISTEN ${postgresDriver().escapeIdentifier(channel)}`)
      const heard = new Promise<boolean>(resolve => {
        const timer = setTimeout(() => resolve(false), PROBE_MS)
        client.on('notification', notice => {
          if (notice.channel !== channel) return
          clearTimeout(timer)
          resolve(true)
        })
      })
      await this.#notify(channel, '')
      return !(await heard)
    }
    // What cannot be tried is taken for lost: reading once too often harms nothing.
    const lost = await isLost().catch(() => true)
    if (!lost || this.#isClosed || this.#client === undefined) return
    this.#polling = setInterval(() => this.#reportGap(), POLL_MS)
    this.#polling.unref()
  }

  #heal(): void {
    clearInterval(this.#polling)
    clearInterval(this.#heartbeat)
    this.#client = undefined
    if (this.#isClosed || this.#channels.size === 0 || this.#retry !== undefined) return
    const pause = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures++)
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      if (this.#channels.size === 0) return
      this.#connected().then(
        () => this.#reportGap(),
        () => {},
      )
    }, pause)
    this.#retry.unref()
  }

  /** Whether a notice is passed on; where it is not, subscribers hear once that they missed some. */
  #isCarried(channel: string): boolean {
    const now = performance.now()
    const known = this.#flows.get(channel)
    const flow = known !== undefined && now < known.until ? known : { until: now + WINDOW_MS, count: 0 }
    this.#flows.set(channel, flow)
    flow.count++
    if (flow.count === MOST_NOTICES + 1)
      setTimeout(() => {
        for (const { onGap } of this.#channels.get(channel) ?? []) onGap?.()
      }, flow.until - now).unref()
    return flow.count <= MOST_NOTICES
  }

  #reportGap(): void {
    for (const subscriptions of this.#channels.values()) for (const { onGap } of subscriptions) onGap?.()
  }
}
