import type { Principal } from '@postern/core'
import type { Condition, FieldRef, ResourceType } from '../policy/condition.ts'
import { Facts, type Fields, membershipName } from '../policy/facts.ts'
import type { Membership } from '../policy/membership.ts'
import type { PolicySet, Resource } from '../policy/policy-set.ts'
import { type FieldType, normalise, type Scalar } from '../policy/scalar.ts'
import { DIALECTS, type DialectName, quoteName } from './dialect.ts'

/** Runs a statement and gives its rows. `$1` in PostgreSQL, `?` in SQLite. */
export type RunQuery = (
  text: string,
  values: readonly (string | number)[],
) => readonly Fields[] | Promise<readonly Fields[]>

/** Whose relationships are loaded, for which action and resources, and how the database is asked. */
export interface LoadFactsOptions {
  readonly principal: Principal
  readonly action: string
  readonly resources: readonly Resource[]
  readonly query: RunQuery
  /** Default: `postgres`. */
  readonly dialect?: DialectName
}

/** Keys asked for in one statement. */
const CHUNK = 500

/**
 * Loads the parents and memberships that the policies for an action ask about, for any number of resources:
 * one statement for each relationship, not one for each row (and one more for every 500 different keys).
 * Memberships are looked up for this caller only.
 * @example
 * const facts = await loadFacts(policies, { principal, action: 'order.edit', resources, query })
 * resources.filter(resource => policies.decide(principal, 'order.edit', resource, { facts }).allowed)
 */
export async function loadFacts(policies: PolicySet, options: LoadFactsOptions): Promise<Facts> {
  const facts = new Facts()
  const loader = new Loader(options, facts)
  const byType = Map.groupBy(options.resources, resource => resource.type)
  for (const [type, resources] of byType) {
    const conditions = policies.rules(options.action, type).policies.map(policy => policy.when)
    await loader.load(
      conditions,
      resources.map(resource => (resource.fields ?? {}) as Fields),
    )
  }
  return facts
}

interface ParentRelation {
  readonly field: FieldRef
  readonly parent: ResourceType
  readonly conditions: Condition[]
}

class Loader {
  readonly #options: LoadFactsOptions
  readonly #facts: Facts
  #parameters: (string | number)[] = []

  constructor(options: LoadFactsOptions, facts: Facts) {
    this.#options = options
    this.#facts = facts
  }

  /** Level by level: the parents of the rows, then what the conditions on those ask about them. */
  async load(conditions: readonly Condition[], rows: readonly Fields[]): Promise<void> {
    const parents = new Map<string, ParentRelation>()
    const members = new Map<string, { field: FieldRef; membership: Membership }>()
    const visit = (condition: Condition): void => {
      if (condition.kind === 'all' || condition.kind === 'any') condition.of.forEach(visit)
      else if (condition.kind === 'not') visit(condition.of)
      else if (condition.kind === 'member')
        members.set(`${condition.field.name} ${membershipName(condition.membership)}`, condition)
      else if (condition.kind === 'parent') {
        const name = `${condition.field.name} ${condition.parent.name}`
        const known = parents.get(name) ?? { ...condition, conditions: [] }
        known.conditions.push(condition.condition)
        parents.set(name, known)
      }
    }
    conditions.forEach(visit)
    for (const { field, membership } of members.values())
      await this.#loadMembers(membership, field.holds, keysOf(rows, field))
    for (const { field, parent, conditions: inner } of parents.values()) {
      const found = await this.#loadParents(parent, keysOf(rows, field))
      if (found.length > 0) await this.load(inner, found)
    }
  }

  async #loadMembers(membership: Membership, holds: FieldType, groups: readonly Scalar[]): Promise<void> {
    const { id } = this.#options.principal
    if (id === '' || normalise.text(id) === null) return
    const group = quoteName(membership.group)
    for (const chunk of chunks(groups)) {
      const where = `${quoteName(membership.principal)} = ${this.#parameter('text', id)} AND ${group} IN (${this.#list(holds, chunk)})`
      const rows = await this.#run(
        `SELECT DISTINCT ${group} AS "group" FROM ${quoteName(membership.table)} WHERE ${where}`,
      )
      for (const key of chunk) this.#facts.addMember(membership, key, id, false)
      for (const row of rows) {
        const key = normalise[holds](row['group'])
        if (key !== null) this.#facts.addMember(membership, key, id, true)
      }
    }
  }

  async #loadParents(parent: ResourceType, keys: readonly Scalar[]): Promise<readonly Fields[]> {
    const found: Fields[] = []
    const unknown = keys.filter(key => {
      const known = this.#facts.parent(parent.name, key)
      if (known !== undefined && known !== null) found.push(known)
      return known === undefined
    })
    const columns = Object.values(parent.fields).map(
      field => `${quoteName(field.column)} AS ${quoteName(field.name)}`,
    )
    for (const chunk of chunks(unknown)) {
      const rows = await this.#run(
        `SELECT ${columns.join(', ')} FROM ${quoteName(parent.table)} WHERE ${quoteName(parent.key.column)} IN (${this.#list(parent.key.holds, chunk)})`,
      )
      for (const key of chunk) this.#facts.addParent(parent.name, key, null)
      for (const row of rows) {
        const key = normalise[parent.key.holds](row[parent.key.name])
        if (key !== null) this.#facts.addParent(parent.name, key, row)
        found.push(row)
      }
    }
    return found
  }

  async #run(text: string): Promise<readonly Fields[]> {
    const values = this.#parameters
    this.#parameters = []
    return this.#options.query(text, values)
  }

  #list(holds: FieldType, values: readonly Scalar[]): string {
    return values.map(value => this.#parameter(holds, value)).join(', ')
  }

  #parameter(holds: FieldType, value: Scalar): string {
    const name = this.#options.dialect ?? 'postgres'
    const dialect = DIALECTS[name]
    const parameter = dialect.parameter(holds, value)
    this.#parameters.push(typeof parameter === 'boolean' ? String(parameter) : parameter)
    return name === 'postgres' ? `$${this.#parameters.length}${dialect.cast(holds)}` : '?'
  }
}

function keysOf(rows: readonly Fields[], field: FieldRef): readonly Scalar[] {
  const keys = new Map<string, Scalar>()
  for (const row of rows) {
    const key = normalise[field.holds](row[field.name])
    if (key !== null) keys.set(String(key), key)
  }
  return [...keys.values()]
}

function chunks<T>(items: readonly T[]): readonly (readonly T[])[] {
  const list: T[][] = []
  for (let at = 0; at < items.length; at += CHUNK) list.push(items.slice(at, at + CHUNK))
  return list
}
