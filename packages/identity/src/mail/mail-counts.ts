import type { RecordCodec, RecordStore } from '../records/record-store.ts'

/** The window in which mails are counted, milliseconds. */
export const MAIL_WINDOW_MS = 3_600_000

/** Mails asked for in a window. */
export interface MailCount {
  readonly count: number
  /** End of the window, epoch milliseconds. */
  readonly until: number
}

const NONE: MailCount = { count: 0, until: 0 }

/** How counts are kept in stores: two numbers. */
export const MAIL_COUNTS: RecordCodec<MailCount> = {
  read: text => {
    const [count, until] = (text ?? '').split(' ').map(Number)
    return count === undefined || until === undefined ? NONE : { count, until }
  },
  write: ({ count, until }) => `${count} ${until}`,
  lifetime: ({ until }, now) => until - now,
}

/**
 * Counts one more, up to the first that is too many: a flood writes no more than that.
 * @returns how many that makes; `Infinity` beyond the first that is too many
 */
export function countMail(
  store: RecordStore<MailCount>,
  key: string,
  most: number,
  now: number,
): number | Promise<number> {
  return store.update(key, kept => {
    const { count, until } = kept.until > now ? kept : { count: 0, until: now + MAIL_WINDOW_MS }
    if (count > most) return { result: Infinity }
    return { record: { count: count + 1, until }, result: count + 1 }
  })
}
