import { ConfigError, type ConfigIssue, type Duration, type Principal, parseDuration } from '@postern/core'

/** What a caller must have, or prove, to do something. */
export interface Requirement {
  /** One of these roles. */
  readonly role?: string | readonly string[]
  /** Every one of these scopes. */
  readonly scope?: string | readonly string[]
  /** One of these kinds of principal. Default: every kind but `anonymous`. */
  readonly kind?: Principal['kind'] | readonly Principal['kind'][]
  /**
   * A proof of identity no older than this (`10m`), or `act`: one that is bound to
   * this very act and used up by it.
   */
  readonly stepUp?: Duration | 'act'
  /** `refuse`: not while acting for somebody else. Default: `allow`. */
  readonly impersonation?: 'allow' | 'refuse'
}

/**
 * The part `approve` of a rule: whose consent an act takes, how long it is waited for, and for how many
 * rows it holds.
 */
export interface ApproveRule {
  /**
   * `role:owner`, `scope:approve`, `user:bob`, `owner` (of the agent that asks); one of several is enough.
   */
  readonly by: string | readonly string[]
  /** Always: nobody can approve their own act. */
  readonly distinct?: true
  /** How long a request waits. Default: `1h`. */
  readonly ttl?: Duration
  /** Rows the act may change at most. */
  readonly rows?: number
  /** On a route, `over`: only for what goes over the route's `budget`. Default: `always`. */
  readonly when?: 'always' | 'over'
}

/**
 * What stands before a powerful action. The same keys in code, on routes, under
 * `x-postern` in OpenAPI, and for tools.
 */
export interface ActRule {
  readonly require?: Requirement
  readonly approve?: ApproveRule
  /** Budgets that an approval stands in for: `orders.delete`. */
  readonly budget?: string | readonly string[]
}

/** A rule, checked and with its defaults filled in. */
export interface CompiledRule {
  readonly kinds: ReadonlySet<Principal['kind']> | undefined
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  /** Milliseconds. */
  readonly within: number | undefined
  readonly isActBound: boolean
  readonly refusesImpersonation: boolean
  /** Whether the caller must be somebody. */
  readonly needsIdentity: boolean
  readonly approve:
    | { readonly by: readonly string[]; readonly ttl: Duration; readonly rows: number | undefined }
    | undefined
  readonly budgets: readonly string[]
}

const KEYS = {
  rule: ['require', 'approve', 'budget'],
  require: ['role', 'scope', 'kind', 'stepUp', 'impersonation'],
  approve: ['by', 'distinct', 'ttl', 'rows', 'when'],
} as const
const KINDS = ['anonymous', 'user', 'service', 'apiKey']
const BY = /^(?:owner|(?:role|scope|user):[^\s:][^\n]{0,127})$/

/**
 * Checks a rule whole, wherever it was written.
 * @param place named in errors: `routes["DELETE /orders"]`
 * @throws ConfigError naming every mistake
 */
export function compileRule(rule: ActRule, place: string): CompiledRule {
  const issues: ConfigIssue[] = []
  const { require: required = {}, approve } = rule
  unknownKeys(rule, KEYS.rule, place, issues)
  const within = checkRequirement(required, `${place}.require`, issues)
  if (approve !== undefined) checkApprove(approve, `${place}.approve`, issues)
  if (issues.length > 0) throw new ConfigError(issues)
  const kinds = listOf(required.kind)
  return {
    kinds: kinds.length === 0 ? undefined : new Set(kinds),
    roles: listOf(required.role),
    scopes: listOf(required.scope),
    within,
    isActBound: required.stepUp === 'act',
    refusesImpersonation: required.impersonation === 'refuse',
    needsIdentity: (rule.require !== undefined && !kinds.includes('anonymous')) || approve !== undefined,
    approve:
      approve === undefined
        ? undefined
        : { by: listOf(approve.by), ttl: approve.ttl ?? '1h', rows: approve.rows },
    budgets: listOf(rule.budget),
  }
}

/**
 * Checks a rule without keeping what it compiles to, where it is read and not yet used.
 * @throws ConfigError naming every mistake
 */
export function checkActRule(rule: ActRule, place: string): void {
  compileRule(rule, place)
}

/** @returns how old a proof may be, in milliseconds */
function checkRequirement(required: Requirement, place: string, issues: ConfigIssue[]): number | undefined {
  unknownKeys(required, KEYS.require, place, issues)
  for (const kind of listOf(required.kind))
    if (!KINDS.includes(kind))
      issues.push({
        place: `${place}.kind`,
        problem: `"${kind}" is not a kind of principal`,
        hint: `use one of ${KINDS.join(', ')}`,
      })
  for (const key of ['role', 'scope'] as const)
    for (const value of listOf(required[key]))
      if (typeof value !== 'string' || value === '' || /[\s"\\]/.test(value))
        issues.push({ place: `${place}.${key}`, problem: 'a name has no spaces, quotes or backslashes' })
  if (required.role !== undefined && listOf(required.role).length === 0)
    issues.push({ place: `${place}.role`, problem: 'no role is listed, so nobody could pass' })
  return durationOf(required.stepUp === 'act' ? undefined : required.stepUp, `${place}.stepUp`, issues)
}

function checkApprove(approve: ApproveRule, place: string, issues: ConfigIssue[]): void {
  unknownKeys(approve, KEYS.approve, place, issues)
  const by = listOf(approve.by)
  if (by.length === 0 || by.some(one => !BY.test(one)))
    issues.push({
      place: `${place}.by`,
      problem: 'it does not say who approves',
      hint: 'e.g. role:owner, scope:approve, user:bob or owner',
    })
  if (approve.distinct !== undefined && approve.distinct !== true)
    issues.push({
      place: `${place}.distinct`,
      problem: 'nobody can approve their own act',
      hint: 'leave it out',
    })
  if (approve.when !== undefined && approve.when !== 'always' && approve.when !== 'over')
    issues.push({ place: `${place}.when`, problem: 'it is neither "always" nor "over"' })
  const ttl = durationOf(approve.ttl, `${place}.ttl`, issues)
  if (ttl !== undefined && (ttl < 1_000 || ttl > 7 * 86_400_000))
    issues.push({ place: `${place}.ttl`, problem: 'it must be between 1s and 7d' })
  if (approve.rows !== undefined && !(Number.isSafeInteger(approve.rows) && approve.rows > 0))
    issues.push({ place: `${place}.rows`, problem: 'it must be a positive whole number' })
}

function unknownKeys(value: object, known: readonly string[], place: string, issues: ConfigIssue[]): void {
  for (const key of Object.keys(value))
    if (!known.includes(key))
      issues.push({
        place: `${place}.${key}`,
        problem: 'there is no such key',
        hint: `use one of ${known.join(', ')}`,
      })
}

function listOf<T extends string>(value: T | readonly T[] | undefined): readonly T[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value
}

function durationOf(value: Duration | undefined, place: string, issues: ConfigIssue[]): number | undefined {
  if (value === undefined) return undefined
  try {
    return parseDuration(value, place)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    issues.push(...error.issues)
    return undefined
  }
}
