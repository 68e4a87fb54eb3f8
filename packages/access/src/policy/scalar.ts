/**
 * What a field holds. `time` is `timestamptz` in PostgreSQL and whole epoch milliseconds in
 * SQLite; `uuid` is `uuid` there and text here.
 */
export type FieldType = 'text' | 'uuid' | 'integer' | 'number' | 'boolean' | 'time'

/**
 * A value in the one form in which values of its type are compared: milliseconds for
 * times, lower case for UUIDs.
 */
export type Scalar = string | number | bigint | boolean

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const INTEGER = /^-?\d{1,19}$/
const DECIMAL = /^(?:NaN|-?Infinity|-?\d{1,40}(?:\.\d{1,40})?(?:e[+-]?\d{1,3})?)$/i
const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)
/**
 * From the year 1, before which PostgreSQL counts otherwise, to the last instant but
 * one that a `Date` can hold.
 */
const MIN_TIME = -62_135_596_800_000
const MAX_TIME = 8.64e15 - 1

/**
 * Reads a value as one type; null when it is absent or is not a value of that type, which
 * every comparison then treats as unknown.
 */
export type Normalise = (value: unknown) => Scalar | null

/** The reader of each type. */
export const normalise: Readonly<Record<FieldType, Normalise>> = {
  text: value =>
    // Neither database can hold U+0000 or half a surrogate pair: such a text equals
    // nothing there, so it equals nothing here.
    typeof value === 'string' && value.isWellFormed() && !value.includes('\0') ? value : null,
  uuid: value => {
    if (typeof value !== 'string' || value.length !== 36) return null
    const lower = value.toLowerCase()
    return UUID.test(lower) ? lower : null
  },
  integer: value => {
    if (typeof value === 'number') return Number.isSafeInteger(value) ? value : null
    if (typeof value === 'bigint') return value <= INT64_MAX && value >= INT64_MIN ? value : null
    // PostgreSQL drivers hand over `bigint` columns as text.
    return typeof value === 'string' && INTEGER.test(value) ? inRange(BigInt(value)) : null
  },
  number: value => {
    if (typeof value === 'number') return value
    if (typeof value === 'bigint') return Number(value)
    if (typeof value !== 'string') return null
    return DECIMAL.test(value) ? Number(value) : null
  },
  boolean: value => {
    if (typeof value === 'boolean') return value
    // SQLite has no booleans.
    return value === 0 || value === 0n ? false : value === 1 || value === 1n ? true : null
  },
  time: value => {
    if (value instanceof Date) return timeOf(value.getTime())
    if (typeof value === 'number') return timeOf(value)
    if (typeof value === 'bigint') return timeOf(Number(value))
    return typeof value === 'string' && value.length <= 40 ? timeOf(Date.parse(value)) : null
  },
}

function inRange(value: bigint): bigint | null {
  return value <= INT64_MAX && value >= INT64_MIN ? value : null
}

function timeOf(ms: number): number | null {
  // PostgreSQL knows infinite times, and its driver hands them over as infinite numbers.
  if (Math.abs(ms) === Number.POSITIVE_INFINITY) return ms
  return ms >= MIN_TIME && ms <= MAX_TIME ? Math.floor(ms) : null
}

/**
 * Whether values of a type have an order that JavaScript, PostgreSQL and SQLite agree on. Texts
 * have not: it depends on the collation.
 */
export function isOrdered(type: FieldType): boolean {
  return type === 'integer' || type === 'number' || type === 'time'
}

/**
 * Whether two values of one type are equal. Integers may be numbers or bigints; NaN
 * equals NaN, as in PostgreSQL.
 */
export function isSame(a: Scalar, b: Scalar): boolean {
  if (a === b) return true
  if (typeof a === 'string' || typeof a === 'boolean') return false
  return order(a, b) === 0
}

/**
 * Negative, zero or positive. NaN is the greatest number, as in PostgreSQL (SQLite
 * stores it as NULL). Only for ordered types.
 */
export function order(a: Scalar, b: Scalar): number {
  if (a < b) return -1
  if (a > b) return 1
  // Neither less nor greater: equal, or NaN is among them.
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
}
