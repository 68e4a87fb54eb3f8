import type { Bound, BoundOperand } from '../policy/bound.ts'
import type { FieldRef, Operator } from '../policy/condition.ts'
import type { Filter } from '../policy/filter.ts'
import type { FieldType, Scalar } from '../policy/scalar.ts'
import { DIALECTS, type Dialect, type DialectName, quoteName, type SqlValue } from './dialect.ts'

/** The dialect of a predicate, the alias of its table, and the number of its first parameter. */
export interface SqlOptions<Name extends DialectName = DialectName> {
  /** Default: `postgres`. */
  readonly dialect?: Name
  /** How the statement calls the table: its alias. Default: the table's name. */
  readonly alias?: string
  /** `$1` or `?`. Default: as the dialect writes them; Knex takes `question` for every dialect. */
  readonly parameters?: 'numbered' | 'question'
  /**
   * Number of the first parameter of `text` (`$1` in PostgreSQL), for a statement
   * that has others before it. Default: 1.
   */
  readonly firstParameter?: number
}

/** A template tag for SQL: that of Kysely, Drizzle, postgres.js, Prisma, slonik. */
export type SqlTag<Fragment, Name extends DialectName = DialectName> = (
  strings: TemplateStringsArray,
  ...values: SqlValue<Name>[]
) => Fragment

/** A filter as a condition for WHERE. It holds no value as text: every one is a parameter. */
export interface SqlPredicate<Name extends DialectName = DialectName> {
  /** With `$1`, `$2` (PostgreSQL) or `?` (SQLite). Parenthesised, so that it can stand beside OR. */
  readonly text: string
  readonly values: readonly SqlValue<Name>[]
  /**
   * The same as a fragment of a query builder, whose tag is passed in.
   * @example db.selectFrom('orders').selectAll().where(toSql(filter).as(sql<boolean>))  // Kysely
   * @example db.select().from(orders).where(toSql(filter).as(sql))                      // Drizzle
   */
  as<Fragment>(tag: SqlTag<Fragment, Name>): Fragment
}

/**
 * Writes a filter as SQL. `all` and `none` are conditions too (`TRUE`, `FALSE`):
 * nothing has to be asked before using it.
 */
export function toSql<Name extends DialectName = 'postgres'>(
  filter: Filter,
  options: SqlOptions<Name> = {},
): SqlPredicate<Name> {
  const name: DialectName = options.dialect ?? 'postgres'
  const writer = new Writer(DIALECTS[name], name)
  writer.write(filter.predicate, quoteName(options.alias ?? filter.type.table))
  const style = options.parameters ?? (name === 'postgres' ? 'numbered' : 'question')
  return predicateOf(writer, style, options.firstParameter ?? 1)
}

/** The text of a condition that has no parameters: for statements that define something. */
export function toText(
  predicate: Bound,
  table: string,
  literal: (holds: FieldType, value: Scalar) => string,
): string {
  const writer = new Writer(DIALECTS.postgres, 'postgres', literal)
  writer.write(predicate, quoteName(table))
  return writer.strings.join('')
}

function predicateOf<Name extends DialectName>(
  writer: Writer,
  style: 'numbered' | 'question',
  first: number,
): SqlPredicate<Name> {
  const { strings } = writer
  // The writer's dialect made them: no booleans in SQLite.
  const values = writer.values as readonly SqlValue<Name>[]
  const text = strings
    .map((part, index) =>
      index === 0 ? part : `${style === 'numbered' ? `$${first + index - 1}` : '?'}${part}`,
    )
    .join('')
  return {
    text,
    values,
    as: tag => tag(Object.assign([...strings], { raw: [...strings] }), ...values),
  }
}

const SIGNS: Readonly<Record<Operator, string>> = {
  eq: '=',
  ne: '<>',
  lt: '<',
  lte: '<=',
  gt: '>',
  gte: '>=',
}

class Writer {
  /** One more than there are values. */
  readonly strings: string[] = ['']
  readonly values: SqlValue[] = []
  readonly #dialect: Dialect
  readonly #name: DialectName
  readonly #literal: ((holds: FieldType, value: Scalar) => string) | undefined
  #aliases = 0

  constructor(dialect: Dialect, name: DialectName, literal?: (holds: FieldType, value: Scalar) => string) {
    this.#dialect = dialect
    this.#name = name
    this.#literal = literal
  }

  write(node: Bound, table: string): void {
    switch (node.kind) {
      case 'constant':
        this.#text(`(${this.#dialect.constant[Number(node.value) as 0 | 1]})`)
        return
      case 'and':
      case 'or':
        this.#list(node.of, node.kind === 'and' ? ' AND ' : ' OR ', part => this.write(part, table))
        return
      case 'compare':
        this.#compare(node, table)
        return
      case 'in':
        if (node.field.holds === 'time' && this.#name === 'postgres') {
          this.#timeIn(node, table)
          return
        }
        this.#text(`(${column(table, node.field)}${node.negated ? ' NOT' : ''} IN `)
        this.#list(node.values, ', ', value => this.#value(node.field.holds, value))
        this.#text(')')
        return
      case 'null':
        this.#text(`(${column(table, node.field)} IS${node.negated ? ' NOT' : ''} NULL)`)
        return
      case 'member':
        this.#member(node, table)
        return
      case 'parent': {
        const alias = this.#alias()
        const key = `${alias}.${quoteName(node.parent.key.column)}`
        this.#text(
          `EXISTS (SELECT 1 FROM ${quoteName(node.parent.table)} AS ${alias} WHERE ${key} = ${column(table, node.field)} AND `,
        )
        this.write(node.inner, alias)
        this.#text(')')
        return
      }
      case 'session':
        this.#text(`(${node.sql})`)
    }
  }

  #member(
    { field, membership, principal, negated }: Extract<Bound, { kind: 'member' }>,
    table: string,
  ): void {
    const alias = this.#alias()
    const group = `${alias}.${quoteName(membership.group)}`
    // Without a group nobody can tell, so neither "in it" nor "not in it" is true.
    if (negated) this.#text(`(${column(table, field)} IS NOT NULL AND NOT `)
    this.#text(
      `EXISTS (SELECT 1 FROM ${quoteName(membership.table)} AS ${alias} WHERE ${group} = ${column(table, field)}` +
        ` AND ${alias}.${quoteName(membership.principal)} = `,
    )
    this.#operand(principal, table)
    this.#text(negated ? '))' : ')')
  }

  #compare({ operator, left, right }: Extract<Bound, { kind: 'compare' }>, table: string): void {
    const isTime = left.holds === 'time' && this.#name === 'postgres'
    this.#text('(')
    if (!isTime || left.kind !== 'field') {
      this.#operand(left, table)
      this.#text(` ${SIGNS[operator]} `)
      this.#operand(right, table)
    } else if (right.kind === 'value') this.#compareTime(operator, column(table, left), Number(right.value))
    else {
      // Two columns: both at the precision that JavaScript sees.
      this.#text(`${atMilliseconds(column(table, left))} ${SIGNS[operator]} `)
      if (right.kind === 'field') this.#text(atMilliseconds(column(table, right)))
      else this.#operand(right, table)
    }
    this.#text(')')
  }

  /**
   * PostgreSQL keeps microseconds, JavaScript sees the millisecond they fall in. Comparing with the edges of
   * that millisecond gives both the same answer, and still lets an index on the column be used.
   */
  #compareTime(operator: Operator, column: string, time: number): void {
    const start = (): void => this.#value('time', time)
    const end = (): void => this.#value('time', time + 1)
    if (!Number.isFinite(time) || operator === 'lt' || operator === 'gte') {
      this.#text(`${column} ${SIGNS[operator]} `)
      start()
    } else if (operator === 'lte' || operator === 'gt') {
      this.#text(`${column} ${operator === 'lte' ? '<' : '>='} `)
      end()
    } else {
      this.#text(`${column} ${operator === 'eq' ? '>=' : '<'} `)
      start()
      this.#text(` ${operator === 'eq' ? 'AND' : 'OR'} ${column} ${operator === 'eq' ? '<' : '>='} `)
      end()
    }
  }

  #timeIn({ field, values, negated }: Extract<Bound, { kind: 'in' }>, table: string): void {
    const operator = negated ? 'ne' : 'eq'
    this.#list(values, negated ? ' AND ' : ' OR ', value =>
      this.#compare(
        { kind: 'compare', operator, left: field, right: { kind: 'value', holds: 'time', value } },
        table,
      ),
    )
  }

  #operand(operand: BoundOperand, table: string): void {
    if (operand.kind === 'field') this.#text(column(table, operand))
    else if (operand.kind === 'expression') this.#text(operand.sql)
    else this.#value(operand.holds, operand.value)
  }

  #value(holds: FieldType, value: Scalar): void {
    if (this.#literal !== undefined) {
      this.#text(this.#literal(holds, value))
      return
    }
    this.values.push(this.#dialect.parameter(holds, value))
    this.strings.push(this.#dialect.cast(holds))
  }

  #list<T>(items: readonly T[], separator: string, write: (item: T) => void): void {
    this.#text('(')
    for (const [index, item] of items.entries()) {
      if (index > 0) this.#text(separator)
      write(item)
    }
    this.#text(')')
  }

  #text(text: string): void {
    this.strings[this.strings.length - 1] += text
  }

  #alias(): string {
    return `"postern_${++this.#aliases}"`
  }
}

function column(table: string, field: FieldRef): string {
  return `${table}.${quoteName(field.column)}`
}

function atMilliseconds(column: string): string {
  return `date_trunc('milliseconds', ${column})`
}
