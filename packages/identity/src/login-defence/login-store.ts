import type { RecordCodec, Step as RecordStep, RecordStore } from '../records/record-store.ts'
import { type LoginRecord, readRecord, recordLifetime, writeRecord } from './login-record.ts'

/** What a step makes of an account's record. */
export type Step<Result> = RecordStep<LoginRecord, Result>

/**
 * Keeps one record per account, by the keyed hash of its canonical name. Of two
 * tries at the last place, one is let in.
 */
export type LoginStore = RecordStore<LoginRecord>

/** How login records are kept in stores. */
export const LOGIN_CODEC: RecordCodec<LoginRecord> = {
  read: readRecord,
  write: writeRecord,
  lifetime: recordLifetime,
}

/** What their keys begin with. */
export const LOGIN_KIND = 'login'
