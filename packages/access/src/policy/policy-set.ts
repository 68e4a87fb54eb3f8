import { ConfigError, type ConfigIssue, type Principal } from '@postern/core'
import type { Condition, ResourceType } from './condition.ts'
import { type Context, NO_CONTEXT } from './context.ts'
import { fieldsOf } from './evaluator.ts'
import type { Fields } from './facts.ts'
import { type Filter, filterOf } from './filter.ts'
import type { Policy } from './policy.ts'
import { type RuleIndex, ruleIndex } from './rule-index.ts'
import type { Verdict } from './verdict.ts'

/**
 * A resource: its type, and its fields as far as they are known. A field that is
 * missing is unknown, and unknown never grants.
 */
export interface Resource {
  readonly type: string
  /** By the names its type gives them: a row, an entity, a plain object. */
  readonly fields?: object
}

/** What every engine of policies offers: TypeScript policies do, and so does Cedar. */
export interface Decides {
  /** Whether the caller may do this. `default` deny; deny overrides. */
  decide(principal: Principal, action: string, resource: Resource, context?: Context): Verdict
}

const NO_FIELDS: Fields = Object.freeze({})
/** The type of actions that concern no resource. */
const NO_TYPE = ''
const MAX_POLICIES = 10_000
/** How deep conditions and parents may be nested. */
const MAX_DEPTH = 32

/**
 * Policies, compiled and indexed by action and type. Immutable: a change is a new set, and
 * `diff` says what it changes. Decisions are synchronous and in memory; the filter is the same
 * rules as a predicate for the database.
 */
export class PolicySet implements Decides {
  readonly policies: readonly Policy[]
  readonly types: ReadonlyMap<string, ResourceType>
  /**
   * By action, then by type. Every action that a policy names has an entry; families
   * and `*` are in it already.
   */
  readonly #actions = new Map<string, Map<string, RuleIndex>>()
  /** For actions that no policy names exactly. */
  readonly #families: readonly { readonly prefix: string; readonly types: Map<string, RuleIndex> }[]

  /** See `definePolicies`. */
  constructor(policies: readonly Policy[]) {
    this.types = collectTypes(policies)
    checkPolicies(policies)
    this.policies = Object.freeze([...policies])
    const actions = new Set(policies.flatMap(policy => policy.actions))
    const names = [NO_TYPE, ...this.types.keys()]
    const byType = (action: string): Map<string, RuleIndex> => {
      const speaking = policies.filter(policy => policy.actions.some(pattern => covers(pattern, action)))
      return new Map(
        names.map(name => [
          name,
          ruleIndex(speaking.filter(({ types }) => types === '*' || types.some(type => type.name === name))),
        ]),
      )
    }
    for (const action of actions) if (!action.endsWith('*')) this.#actions.set(action, byType(action))
    // A family is found by its longest prefix: it then holds every shorter one that covers it too.
    this.#families = [...new Set([...actions].filter(action => action.endsWith('*')).concat('*'))]
      .map(pattern => ({ prefix: pattern.slice(0, -1), types: byType(pattern) }))
      .sort((a, b) => b.prefix.length - a.prefix.length)
  }

  decide(principal: Principal, action: string, resource: Resource, context: Context = NO_CONTEXT): Verdict {
    const fields = (resource.fields ?? NO_FIELDS) as Fields
    return this.rules(action, resource.type).decide(principal, fields, context)
  }

  /**
   * Which resources of a type the caller may do this to, as a predicate over its table.
   * The same rows for which `decide` allows.
   * @throws ConfigError when no policy and no declaration knows the type
   */
  filter(principal: Principal, action: string, type: string, context: Context = NO_CONTEXT): Filter {
    const known = this.types.get(type)
    if (known === undefined)
      throw new ConfigError({
        place: `filter "${action}"`,
        problem: `no policy covers the type "${type}"`,
        hint: `use one of ${[...this.types.keys()].join(', ')}`,
      })
    return filterOf(this.rules(action, type).policies, known, principal, context)
  }

  /**
   * The policies that cover an action on a type, compiled. A type nobody declared
   * is met by policies for every type only.
   */
  rules(action: string, type: string): RuleIndex {
    const types = this.#actions.get(action) ?? this.#family(action)
    return types.get(type) ?? (types.get(NO_TYPE) as RuleIndex)
  }

  #family(action: string): Map<string, RuleIndex> {
    const found = this.#families.find(({ prefix }) => action.startsWith(prefix))
    // The family of the empty prefix is always there.
    return (found ?? (this.#families.at(-1) as { types: Map<string, RuleIndex> })).types
  }
}

/**
 * Compiles policies.
 * @throws ConfigError naming every policy that cannot be used: two of one name, a field
 *   of another type, two types of one name
 * @example
 * const policies = definePolicies([
 *   allow('customers read their own orders', { action: 'order.read', on: order, when:
 *   owns(order.fields.customer) }), deny('nobody edits a closed order', { action: 'order.edit', on: order,
 *   when: eq(order.fields.status, 'closed') }),
 * ])
 * policies.decide(caller, 'order.read', { type: 'order', fields: row }).allowed
 */
export function definePolicies(policies: readonly Policy[]): PolicySet {
  const wrong = Array.isArray(policies) ? policies.findIndex(one => one?.types === undefined) : 0
  if (wrong >= 0)
    throw new ConfigError({
      place: 'definePolicies',
      problem: Array.isArray(policies) ? `entry ${wrong} is not a policy` : 'takes a list of policies',
      hint: "definePolicies([allow('everybody reads', { action: 'order.read' })])",
    })
  return new PolicySet(policies)
}

/** Whether an action pattern covers an action, or of every action of a family. */
function covers(pattern: string, action: string): boolean {
  return pattern === action || (pattern.endsWith('*') && action.startsWith(pattern.slice(0, -1)))
}

function collectTypes(policies: readonly Policy[]): ReadonlyMap<string, ResourceType> {
  const types = new Map<string, ResourceType>()
  const add = (type: ResourceType): void => {
    const known = types.get(type.name)
    if (known !== undefined && known !== type)
      throw new ConfigError({
        place: `resource type "${type.name}"`,
        problem: 'is declared twice',
        hint: 'declare it once and share it, or give the second another name',
      })
    types.set(type.name, type)
  }
  const visit = (condition: Condition, depth: number): void => {
    if (depth > MAX_DEPTH)
      throw new ConfigError({
        place: 'policies',
        problem: `a condition is nested deeper than ${MAX_DEPTH}`,
        hint: 'write it as several policies',
      })
    if (condition.kind === 'all' || condition.kind === 'any')
      for (const part of condition.of) visit(part, depth + 1)
    else if (condition.kind === 'not') visit(condition.of, depth + 1)
    else if (condition.kind === 'parent') {
      add(condition.parent)
      visit(condition.condition, depth + 1)
    }
  }
  for (const policy of policies) {
    if (policy.types !== '*') policy.types.forEach(add)
    visit(policy.when, 0)
  }
  return types
}

function checkPolicies(policies: readonly Policy[]): void {
  const issues: ConfigIssue[] = []
  if (policies.length > MAX_POLICIES)
    issues.push({ place: 'policies', problem: `there are more than ${MAX_POLICIES}` })
  const names = new Set<string>()
  for (const { name, types, when } of policies) {
    const place = `policy "${name}"`
    if (names.has(name))
      issues.push({ place, problem: 'its name is used twice', hint: 'every decision names its policy' })
    names.add(name)
    if (name === 'default')
      issues.push({ place, problem: '"default" is the decision when no policy applies' })
    const allowed = types === '*' ? [] : types.map(type => type.name)
    issues.push(...strayFields(when, allowed).map(problem => ({ place, problem })))
  }
  if (issues.length > 0) throw new ConfigError(issues)
}

/** Fields that a condition reads though the resource it is asked about is of another type. */
function strayFields(condition: Condition, types: readonly string[]): readonly string[] {
  if (condition.kind === 'parent')
    return [
      ...strayIn([condition.field], types),
      ...strayFields(condition.condition, [condition.parent.name]),
    ].map(String)
  if (condition.kind === 'all' || condition.kind === 'any')
    return condition.of.flatMap(part => strayFields(part, types))
  if (condition.kind === 'not') return strayFields(condition.of, types)
  return strayIn(fieldsOf(condition), types)
}

function strayIn(
  fields: readonly { readonly type: string; readonly name: string }[],
  types: readonly string[],
): readonly string[] {
  return fields
    .filter(field => types.length !== 1 || types[0] !== field.type)
    .map(
      field =>
        `reads "${field.type}.${field.name}", but covers ${types.length === 0 ? 'every type' : types.join(', ')}`,
    )
}
