import { ConfigError } from '@postern/core'
import type { Bound, BoundOperand } from '../policy/bound.ts'
import type { Filter } from '../policy/filter.ts'
import { normalise } from '../policy/scalar.ts'

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
}

/**
 * Writes a filter as a Prisma `where`, by the names of the fields (not the columns).
 * Same rows, nulls included.
 * @throws ConfigError when a relationship has no name in `relations`
 * @example prisma.order.findMany({ where: { AND: [mine, toPrisma(filter)] } })
 */
export function toPrisma(filter: Filter, options: PrismaOptions = {}): PrismaWhere {
  return where(filter.predicate, options.relations ?? {})
}

function where(node: Bound, relations: Readonly<Record<string, string>>): PrismaWhere {
  switch (node.kind) {
    case 'constant':
      // Prisma documents both: an empty AND matches every row, an empty OR none.
      return node.value ? { AND: [] } : { OR: [] }
    case 'and':
      return { AND: node.of.map(part => where(part, relations)) }
    case 'or':
      return { OR: node.of.map(part => where(part, relations)) }
    case 'compare':
      return compare(node)
    case 'in': {
      if (node.field.holds === 'time') return timeIn(node)
      const values = node.values.map(value => plain({ kind: 'value', holds: node.field.holds, value }))
      return { [node.field.name]: node.negated ? { notIn: values } : { in: values } }
    }
    case 'null':
      return { [node.field.name]: node.negated ? { not: null } : null }
    case 'member': {
      const [group, members, column] = named(relations, node.field).split('.')
      if (group === undefined || members === undefined || column === undefined)
        throw new ConfigError({
          place: `Prisma relation "${node.field.type}.${node.field.name}"`,
          problem: 'a membership is named by group, list of members and their column',
          hint: 'e.g. teamOf.members.userId',
        })
      const match = { [column]: plain(node.principal) }
      // Without the key nobody can tell; with one, being in no group that has the caller is "not a member".
      if (node.negated)
        return {
          AND: [
            { [node.field.name]: { not: null } },
            { NOT: { [group]: { is: { [members]: { some: match } } } } },
          ],
        }
      return { [group]: { is: { [members]: { some: match } } } }
    }
    case 'parent':
      return { [named(relations, node.field)]: { is: where(node.inner, relations) } }
    case 'session':
      throw new ConfigError({
        place: 'Prisma filter',
        problem: 'it reads the database session',
        hint: 'use `policies.filter` for Prisma: the filter of row-level security is for PostgreSQL alone',
      })
  }
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
  relations: Readonly<Record<string, string>>,
  field: { readonly type: string; readonly name: string },
): string {
  const key = `${field.type}.${field.name}`
  const name = relations[key]
  if (name === undefined)
    throw new ConfigError({
      place: `Prisma relation "${key}"`,
      problem: 'the relation has no name',
      hint: `pass relations: { '${key}': 'theRelationField' }`,
    })
  return name
}
