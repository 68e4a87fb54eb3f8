import { ConfigError } from '@postern/core'
import { HmacKey } from '../primitive/hmac-key.ts'
import type { SubjectSalts } from './subject-salts.ts'
import type { Column } from './table-schema.ts'

/** A value of a row, and the person it is about where its table declares one. */
interface OfSubject {
  readonly column: Column
  readonly subject: string | undefined
}

/**
 * Binds the keys of records to the person they are about: without the salt of that person no key of theirs
 * can be made, so that destroying the salt erases every record.
 */
export class SubjectKeys {
  readonly #salts: ReadonlyMap<string, Uint8Array | undefined>

  private constructor(salts: ReadonlyMap<string, Uint8Array | undefined>) {
    this.#salts = salts
  }

  /**
   * For some values, asked of the store in one go.
   * @param how `ensure` makes salts for people who have none yet: for values that are sealed
   * @throws ConfigError when a table declares a subject and there is no store
   */
  static async of(
    values: readonly OfSubject[],
    store: SubjectSalts | undefined,
    how: 'ensure' | 'get',
  ): Promise<SubjectKeys> {
    const subjects = values.flatMap(({ subject }) => subject ?? [])
    if (subjects.length === 0) return new SubjectKeys(new Map())
    if (store === undefined)
      throw new ConfigError({
        place: `vault.tables.${values[0]?.column.table}`,
        problem: 'declares a subject, but the vault has no subject salts',
        hint: 'pass `subjects` to `Vault`: SqliteSubjectSalts or PostgresSubjectSalts',
      })
    return new SubjectKeys(await store[how](subjects))
  }

  isErased({ subject }: OfSubject): boolean {
    return subject !== undefined && this.#salts.get(subject) === undefined
  }

  /** @throws ConfigError when the person was erased */
  bind(recordKey: Uint8Array, { column, subject }: OfSubject): Uint8Array {
    if (subject === undefined) return recordKey
    const salt = this.#salts.get(subject)
    if (salt === undefined)
      throw new ConfigError({
        place: `${column.table}.${column.name}`,
        problem: 'cannot be sealed: the subject of this row was erased',
        hint: 'leave the row out, or write it for another subject',
      })
    return new HmacKey('sha256', recordKey).digest(salt)
  }
}
