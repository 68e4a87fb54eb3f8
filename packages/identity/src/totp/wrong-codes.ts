import { memoryRecords } from '../records/memory-records.ts'
import type { RecordCodec, RecordStore } from '../records/record-store.ts'

/**
 * Wrong codes of one account in a row before the rest wait, and how long the first time: six digits are
 * guessed quickly otherwise. Every ten more wrong codes double the wait, up to a day: at ten codes each half
 * hour, a year would be enough for every second account whose password is known.
 */
const TRIES = 10
const PAUSE_MS = 1_800_000
const LONGEST_PAUSE_MS = 86_400_000
/** The count of an account that nobody has guessed at for so long is reset. */
const KEPT_MS = 30 * 86_400_000
const REMEMBERED = 10_000

/** Wrong codes of one account since the last right one. */
export interface WrongCodes {
  readonly count: number
  /** No code is looked at before; epoch milliseconds. */
  readonly until: number
  /** Milliseconds. */
  readonly pause: number
}

const NONE: WrongCodes = { count: 0, until: 0, pause: PAUSE_MS }

/** How they are kept in stores: three numbers. */
export const WRONG_CODES: RecordCodec<WrongCodes> = {
  read: text => {
    const [count, until, pause] = (text ?? '').split(' ').map(Number)
    return count === undefined || until === undefined || pause === undefined ? NONE : { count, until, pause }
  },
  write: ({ count, until, pause }) => `${count} ${until} ${pause}`,
  lifetime: () => KEPT_MS,
}

/** Where they are kept when no other place is given: in this process alone. */
export function wrongCodesInMemory(): RecordStore<WrongCodes> {
  return memoryRecords(WRONG_CODES, REMEMBERED)
}

/** Counts a try before it is looked at, so that many at once count too. @returns whether it may be */
export function mayTryCode(
  store: RecordStore<WrongCodes>,
  accountId: string,
  now: number,
): boolean | Promise<boolean> {
  return store.update(accountId, ({ count, until, pause }) => {
    if (now < until) return { result: false }
    const tries = count === TRIES ? 1 : count + 1
    const record =
      tries < TRIES
        ? { count: tries, until, pause }
        : { count: tries, until: now + pause, pause: Math.min(2 * pause, LONGEST_PAUSE_MS) }
    return { record, result: true }
  })
}

/** A right code starts the count again. */
export async function forgetWrongCodes(store: RecordStore<WrongCodes>, accountId: string): Promise<void> {
  await store.update(accountId, () => ({ record: NONE, result: undefined }))
}
