import { ConfigError } from '@postern/core'
import { isSealed } from '../table/column-value.ts'

/**
 * A column that lets sealed values through and nothing else, in the shapes that ORMs take. A forgotten
 * `sealRows` is an error in the application, not a plain value in the database.
 *
 * Drizzle: `customType<{ data: unknown; driverData: Buffer }>(sealedColumn('customers.email'))`.
 * TypeORM: `@Column({ type: 'bytea', transformer: sealedColumn('customers.email') })`.
 */
export interface SealedColumn {
  /** Drizzle: the SQL type. */
  dataType(): string
  /** Drizzle. @throws ConfigError naming the column, when the value is plain */
  toDriver(value: unknown): Buffer
  /** Drizzle. */
  fromDriver(value: unknown): unknown
  /** TypeORM. @throws ConfigError naming the column, when the value is plain */
  to(value: unknown): unknown
  /** TypeORM. */
  from(value: unknown): unknown
}

/**
 * The column type of an encrypted column for Drizzle or TypeORM.
 * @param name the column as errors name it: `customers.email`
 */
export function sealedColumn(name: string): SealedColumn {
  return {
    dataType: () => 'bytea',
    toDriver: value => {
      assertSealed(value, name)
      return value as Buffer
    },
    fromDriver: value => value,
    to: value => {
      if (value !== null && value !== undefined) assertSealed(value, name)
      return value
    },
    from: value => value,
  }
}

/** @throws ConfigError naming the column, never with the value */
export function assertSealed(value: unknown, name: string): void {
  if (isSealed(value)) return
  throw new ConfigError({
    place: name,
    problem: 'is encrypted, and a plain value was about to go into SQL',
    hint: 'give rows through vault.sealRows first, and search with vault.equals',
  })
}
