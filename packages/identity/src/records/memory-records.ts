import type { RecordCodec, RecordStore } from './record-store.ts'

/**
 * Records in this process: those touched last, `max` at most. They do not expire before that.
 * @param max records at most
 */
export function memoryRecords<Kept>(codec: RecordCodec<Kept>, max: number): RecordStore<Kept> {
  const records = new Map<string, Kept>()
  return {
    name: 'memory',
    update: (key, step) => {
      const { record, result } = step(records.get(key) ?? codec.read(undefined))
      if (record === undefined) return result
      records.delete(key)
      records.set(key, record)
      const oldest = records.size > max ? records.keys().next().value : undefined
      if (oldest !== undefined) records.delete(oldest)
      return result
    },
  }
}
