import { failuresInARow, type LoginRecord, NO_RECORD } from './login-record.ts'
import type { LoginStore } from './login-store.ts'

export interface MemoryLoginOptions {
  /** Accounts remembered at most; default: 100,000, about 40 MB when all of them are under attack. */
  readonly max?: number
}

/** Places that keep what evicted accounts had used up. */
const SHADOWS = 4_096

/**
 * Records in this process. When it is full the account touched longest ago is evicted, and what unknown
 * clients had used up of it is kept in one of 4,096 shadows that accounts share: filling the memory with
 * made-up accounts gives nobody a fresh budget at a real one.
 */
export function memoryLoginStore(options: MemoryLoginOptions = {}): LoginStore & { readonly size: number } {
  const max = options.max ?? 100_000
  const records = new Map<string, LoginRecord>()
  const shadows = new Map<number, Pick<LoginRecord, 'unknownFullAt' | 'unknownFailures' | 'mailedAt'>>()

  const evict = (): void => {
    const oldest = records.entries().next().value
    if (oldest === undefined) return
    const [account, record] = oldest
    records.delete(account)
    const slot = slotOf(account)
    const shadow = shadows.get(slot) ?? NO_RECORD
    shadows.set(slot, {
      unknownFullAt: Math.max(shadow.unknownFullAt, record.unknownFullAt),
      unknownFailures: Math.max(shadow.unknownFailures, failuresInARow(record)),
      mailedAt: Math.max(shadow.mailedAt, record.mailedAt),
    })
  }

  return {
    name: 'memory',
    get size() {
      return records.size
    },
    update: (account, step) => {
      const before = records.get(account) ?? { ...NO_RECORD, ...shadows.get(slotOf(account)) }
      const { record, result } = step(before)
      if (record !== undefined) {
        records.delete(account)
        if (records.size >= max) evict()
        records.set(account, record)
      }
      return result
    },
  }
}

/** Accounts are keyed hashes, so any of their characters are as good as random. */
function slotOf(account: string): number {
  let value = 0
  for (let i = 0; i < Math.min(6, account.length); i++) value = (value * 31 + account.charCodeAt(i)) | 0
  return (value >>> 0) % SHADOWS
}
