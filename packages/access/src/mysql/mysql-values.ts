import { ConfigError } from '@postern/core'

/** Lists within lists that are looked into. */
const DEPTH = 8

/**
 * Values of a statement, as the driver was given them: beside the text, or in an object with it. What is not
 * a list is one value for `?`, and holds those of named placeholders.
 */
export function valuesOf(
  { statement, values }: { readonly statement: unknown; readonly values: unknown },
  text: string,
): readonly unknown[] {
  const own: unknown =
    typeof statement === 'object' && statement !== null ? Reflect.get(statement, 'values') : undefined
  const given = values ?? own
  if (Array.isArray(given)) return given
  if (typeof given !== 'object' || given === null || text.includes('?')) return [given]
  return partsOf(given)
}

/** Whether a value is, or has in it, text that the driver writes as it is: `raw()` of mysql2. */
export function isRaw(value: unknown): boolean {
  return hasRaw(value, 0)
}

function hasRaw(value: unknown, depth: number): boolean {
  if (isScalar(value)) return false
  if (typeof value !== 'object' || value === null) return false
  if ('toSqlString' in value || depth > DEPTH) return true
  return partsOf(value).some(part => hasRaw(part, depth + 1))
}

/** Whether the driver writes a value as one literal, which nothing in it can end. */
export function isScalar(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  return (value instanceof Date || value instanceof Uint8Array) && !('toSqlString' in value)
}

function partsOf(value: object): readonly unknown[] {
  return value instanceof Map || value instanceof Set ? [...value.values()] : Object.values(value)
}

/**
 * The text of a statement, as the driver was given it.
 * @throws ConfigError when it has none
 */
export function textOf(statement: unknown): string {
  const text: unknown =
    typeof statement === 'object' && statement !== null && 'sql' in statement ? statement.sql : statement
  if (typeof text !== 'string')
    throw new ConfigError({
      place: 'guardMysql',
      problem: 'a statement has no text',
      hint: 'pass the SQL as a text, or as `sql` of an object',
    })
  return text
}
