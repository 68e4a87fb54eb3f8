import type { EventRecorder, RandomSource } from '@postern/core'
import { APPROVAL_SQL } from './approval.sql.ts'
import type { Approval } from './approval.ts'
import type { ApprovalDatabase, Row, Statement } from './approval-database.ts'
import type { ApprovalChannel, Notice } from './notice.ts'

export interface NoticeOutboxOptions {
  readonly database: ApprovalDatabase
  readonly channels: readonly ApprovalChannel[]
  readonly random: RandomSource
  readonly recorder?: EventRecorder
}

/** Another process tries after it, should this one have died. */
const LEASE = 60_000
/** How long a channel may take, milliseconds: less than the lease, or two processes would send at once. */
const PATIENCE = 45_000
const FIRST_DELAY = 10_000
/**
 * 10 s, 20 s, 40 s, ...: some 20 minutes in all, after which whoever was to be
 * notified has to look by themselves.
 */
const MAX_ATTEMPTS = 8
const BATCH = 20

/**
 * Notices that are written in the transaction of what they tell of, and sent afterwards:
 * at least once, by one process at a time.
 */
export class NoticeOutbox {
  readonly #options: NoticeOutboxOptions
  readonly #channels: ReadonlyMap<string, ApprovalChannel>

  constructor(options: NoticeOutboxOptions) {
    this.#options = options
    this.#channels = new Map(options.channels.map(channel => [channel.name, channel]))
  }

  /** The statements that note what is to be sent: of a request, or of its decision by somebody. */
  statements(approval: string, now: number, decidedBy?: string): readonly Statement[] {
    const event: Notice['event'] = decidedBy === undefined ? 'requested' : 'decided'
    return this.#options.channels.map(({ name }) => ({
      text: APPROVAL_SQL.addNotice,
      values: [
        `msg_${Buffer.from(this.#options.random.bytes(16)).toString('hex')}`,
        approval,
        name,
        event,
        now,
        decidedBy ?? '',
        decidedBy === undefined ? 0 : now,
      ],
    }))
  }

  /** Sends what is due, 20 at most. @returns how many were taken */
  async deliver(now: number, read: (id: string) => Promise<Approval>): Promise<number> {
    const { database } = this.#options
    if (this.#channels.size === 0) return 0
    const [rows = []] = await database.run([
      { text: APPROVAL_SQL.claimNotices, values: [now, now + LEASE, BATCH] },
    ])
    const sent = await Promise.all(rows.map(row => this.#send(row, now, read)))
    return sent.filter(isSent => isSent).length
  }

  async #send(row: Row, now: number, read: (id: string) => Promise<Approval>): Promise<boolean> {
    const { database, recorder } = this.#options
    const [id, channelName, attempts] = [String(row['id']), String(row['channel']), Number(row['attempts'])]
    try {
      const channel = this.#channels.get(channelName)
      // A channel that is no longer configured: the notice waits for its last attempt.
      if (channel === undefined) throw new Error('the channel is not configured any more')
      const event = row['event'] === 'decided' ? 'decided' : 'requested'
      const approval = await read(String(row['approval']))
      await inTime(channel.send({ id, event, approval, time: now }))
      await database.run([{ text: APPROVAL_SQL.removeNotice, values: [id] }])
      return true
    } catch {
      // Errors of senders may quote what they were given, so their text goes nowhere.
      const isLast = attempts >= MAX_ATTEMPTS
      await database.run([
        isLast
          ? { text: APPROVAL_SQL.removeNotice, values: [id] }
          : { text: APPROVAL_SQL.delayNotice, values: [id, now + FIRST_DELAY * 2 ** (attempts - 1)] },
      ])
      recorder?.record({
        type: isLast ? 'approval.notice.lost' : 'approval.notice.failed',
        time: now,
        actor: {},
        data: { approval: String(row['approval']), channel: channelName, attempts },
      })
      return false
    }
  }
}

/**
 * A channel that never answers would keep every later notice waiting.
 * @throws Error (rejects) when it takes too long
 */
async function inTime(sending: Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error('the channel did not answer in time')), PATIENCE)
  try {
    await Promise.race([sending, promise])
  } finally {
    clearTimeout(timer)
  }
}
