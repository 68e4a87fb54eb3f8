import { ConfigError } from '@postern/core'
import type { Bound, BoundOperand } from '../policy/bound.ts'
import type { ResourceType } from '../policy/condition.ts'
import type { Filter } from '../policy/filter.ts'
import { type FieldType, normalise } from '../policy/scalar.ts'

/** A `where` of Prisma's client. */
export type PrismaWhere = { readonly [key: string]: unknown }

/** How fields and relationships are named in the Prisma schema. */
export interface PrismaOptions {
  /**
   * The relation fields of the Prisma schema, by the field that holds the key: `{ 'order.account':
   * 'accountOf' }`. For memberships: the relation to the group and, in it, the list of members, with the
   * members' column: `{ 'order.team': 'teamOf.members.userId' }`.
   */
  readonly relations?: Readonly<Record<string, string>>
  /**
   * Fields that the Prisma schema does not mark with `?`: `['order.customer']`. Prisma refuses to ask whether
   * one is null. Needed only for fields of which a policy asks that.
   */
  readonly required?: readonly string[]
}

/**
 * Writes a filter as a Prisma `where`, by the names of the fields (not the columns). Same rows, nulls
 * included, also as a part of another `where`.
 * @throws ConfigError when a relationship has no name in `relations`
 * @example prisma.order.findMany({ where: { AND: [mine, toPrisma(filter)] } })
 */
export function toPrisma(filter: Filter, options: PrismaOptions = {}): PrismaWhere {
  return where(filter.predicate, filter.type, options)
}

function where(node: Bound, type: ResourceType, options: PrismaOptions): PrismaWhere {
  switch (node.kind) {
    case 'constant':
      return everyRow(type, node.value)
    case 'and':
      return { AND: node.of.map(part => where(part, type, options)) }
    case 'or':
      return { OR: node.of.map(part => where(part, type, options)) }
    case 'compare':
      return compare(node)
    case 'in': {
      if (node.field.holds === 'time') return timeIn(node)
      const values = node.values.map(value => plain({ kind: 'value', holds: node.field.holds, value }))
      return { [node.field.name]: node.negated ? { notIn: values } : { in: values } }
    }
    case 'null':
      return isNull(node, type, options)
    case 'member': {
      const [group, members, column] = named(options, node.field).split('.')
      if (group === undefined || members === undefined || column === undefined)
        throw new ConfigError({
          place: `Prisma relation "${node.field.type}.${node.field.name}"`,
          problem: 'a membership is named by group, list of members and their column',
          hint: 'e.g. teamOf.members.userId',
        })
      const match = { [column]: plain(node.principal) }
      // Without the key nobody can tell; with one, being in no group that has the caller is "not a member".
      // The group is asked for, not the key: Prisma refuses to compare a required field with null.
      if (node.negated)
        return {
          AND: [{ [group]: { is: {} } }, { NOT: { [group]: { is: { [members]: { some: match } } } } }],
        }
      return { [group]: { is: { [members]: { some: match } } } }
    }
    case 'parent':
      return { [named(options, node.field)]: { is: where(node.inner, node.parent, options) } }
    case 'session':
      throw new ConfigError({
        place: 'Prisma filter',
        problem: 'it reads the database session',
        hint: 'use `policies.filter` for Prisma: the filter of row-level security is for PostgreSQL alone',
      })
  }
}

/** A value of each type, for a question that any of them answers. */
const SOME: Readonly<Record<FieldType, unknown>> = {
  text: '',
  uuid: '00000000-0000-0000-0000-000000000000',
  integer: 0,
  number: 0,
  boolean: false,
  time: new Date(0),
}

/**
 * Every row, or none. An empty `AND` or `OR` says so only where nothing stands around it: Prisma leaves it
 * out inside another `AND`, `OR` or `NOT`, so that `{ AND: [mine, { OR: [] }] }` is all of `mine`.
 */
function everyRow({ key }: ResourceType, value: boolean): PrismaWhere {
  return { [key.name]: value ? { notIn: [] } : { in: [] } }
}

/** Of a required field by words that Prisma takes there, and that hold where it is optional after all. */
function isNull(
  { field, negated }: Extract<Bound, { kind: 'null' }>,
  type: ResourceType,
  options: PrismaOptions,
): PrismaWhere {
  const { name } = field
  if (options.required?.includes(`${field.type}.${name}`) !== true)
    return { [name]: negated ? { not: null } : null }
  const some = SOME[field.holds]
  return negated ? { OR: [{ [name]: some }, { [name]: { not: some } }] } : everyRow(type, false)
}

const WORDS = { eq: 'equals', ne: 'not', lt: 'lt', lte: 'lte', gt: 'gt', gte: 'gte' } as const

function compare({ operator, left, right }: Extract<Bound, { kind: 'compare' }>): PrismaWhere {
  if (left.kind !== 'field' || right.kind !== 'value')
    throw new ConfigError({
      place: 'Prisma filter',
      problem: 'it compares two fields',
      hint: 'use toSql(filter) with $queryRaw, or compare a field with a value',
    })
  if (left.holds === 'time') return timeCompare(left.name, operator, plain(right))
  return { [left.name]: { [WORDS[operator]]: plain(right) } }
}

/**
 * Decisions know times to the millisecond, and PostgreSQL stores microseconds: what was written a moment
 * after a limit is at it, not beyond it.
 */
function timeCompare(name: string, operator: keyof typeof WORDS, value: unknown): PrismaWhere {
  const ms = Number(value)
  const start = new Date(ms)
  const next = new Date(ms + 1)
  switch (operator) {
    case 'eq':
      return { [name]: { gte: start, lt: next } }
    case 'ne':
      return { OR: [{ [name]: { lt: start } }, { [name]: { gte: next } }] }
    case 'lt':
      return { [name]: { lt: start } }
    case 'lte':
      return { [name]: { lt: next } }
    case 'gt':
      return { [name]: { gte: next } }
    case 'gte':
      return { [name]: { gte: start } }
  }
}

function timeIn({ field, values, negated }: Extract<Bound, { kind: 'in' }>): PrismaWhere {
  const each = values.map(value =>
    timeCompare(field.name, negated ? 'ne' : 'eq', plain({ kind: 'value', holds: 'time', value })),
  )
  return negated ? { AND: each } : { OR: each }
}

function plain(operand: BoundOperand): unknown {
  if (operand.kind !== 'value')
    throw new ConfigError({
      place: 'Prisma filter',
      problem: 'it compares no value',
      hint: 'compare a field with a value or with another field of its row',
    })
  const value = normalise[operand.holds](operand.value)
  return operand.holds === 'time' ? new Date(Number(value)) : value
}

function named(
  { relations }: PrismaOptions,
  field: { readonly type: string; readonly name: string },
): string {
  const key = `${field.type}.${field.name}`
  const name = relations?.[key]
  if (name === undefined)
    throw new ConfigError({
      place: `Prisma relation "${key}"`,
      problem: 'the relation has no name',
      hint: `pass relations: { '${key}': 'theRelationField' }`,
    })
  return name
}
