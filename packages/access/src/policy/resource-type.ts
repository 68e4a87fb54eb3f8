import { ConfigError } from '@postern/core'
import type { FieldRef, ResourceType } from './condition.ts'
import type { FieldType } from './scalar.ts'

/** One field: its type, or its type and the column it is kept in. */
export type FieldDefinition = FieldType | { readonly type: FieldType; readonly column: string }

/** The table, key and fields of a type of resource. */
export interface ResourceTypeOptions<Names extends string> {
  /** Table or view; `schema.table` where needed. Default: the name of the type. */
  readonly table?: string
  /** The field with the primary key, unique and not null. Default: `id`. */
  readonly key?: NoInfer<Names>
  readonly fields: Readonly<Record<Names, FieldDefinition>>
}

const TYPES: ReadonlySet<string> = new Set(['text', 'uuid', 'integer', 'number', 'boolean', 'time'])

/**
 * Declares a type of resource: what policies may ask about it, and where its rows are.
 * @throws ConfigError when the key is not among the fields, or a name is empty
 * @example
 * const order = resourceType('order', {
 *   table: 'orders',
 *   fields: { id: 'integer', customer: { type: 'text', column: 'customer_id' }, status: 'text' },
 * })
 */
export function resourceType<Names extends string>(
  name: string,
  options: ResourceTypeOptions<Names>,
): ResourceType<Names> {
  const place = `resource type "${name}"`
  if (!/^[A-Za-z][\w-]{0,63}$/.test(name))
    throw new ConfigError({ place, problem: 'the name must be a letter, then letters, digits, "_" or "-"' })
  const fields = Object.fromEntries(
    Object.entries<FieldDefinition>(options.fields).map(([field, definition]) => [
      field,
      fieldOf(name, field, definition),
    ]),
  ) as Record<Names, FieldRef>
  const key = (fields as Readonly<Record<string, FieldRef>>)[options.key ?? 'id']
  if (key === undefined)
    throw new ConfigError({
      place,
      problem: `the key "${options.key ?? 'id'}" is not among its fields`,
      hint: 'declare it, or name another field with `key`',
    })
  return Object.freeze({ name, table: options.table ?? name, key, fields: Object.freeze(fields) })
}

function fieldOf(type: string, name: string, definition: FieldDefinition): FieldRef {
  const { type: holds, column } =
    typeof definition === 'string' ? { type: definition, column: name } : definition
  if (!TYPES.has(holds))
    throw new ConfigError({
      place: `resource type "${type}": field "${name}"`,
      problem: `"${String(holds)}" is not a field type`,
      hint: `use one of ${[...TYPES].join(', ')}`,
    })
  return Object.freeze({ kind: 'field', type, name, column, holds })
}
