import { createHash, timingSafeEqual } from 'node:crypto'
import { type Act, actDigest, ConfigError, canonicalJson, type Duration, type Principal } from '@postern/core'
import type { ApprovalPreview } from './approval.ts'

/** What `Approvals.request` is given: the act, who wants it done, and who may consent. */
export interface ApprovalRequest {
  readonly act: Act
  readonly principal: Principal
  /** Owner of the agent that asks, `user:alice`. */
  readonly owner?: string
  /** Who may decide: `role:owner`, `scope:approve`, `user:bob`, `owner`; one of several is enough. */
  readonly by: string | readonly string[]
  /**
   * How long the request waits; the consent, once given, is good for as long again, but 15 minutes at
   * most, and so is a denial. Default: `1h`.
   */
  readonly ttl?: Duration
  /** Rows the act may change at most. */
  readonly rows?: number
  /** Budgets that the consent stands in for. */
  readonly budgets?: readonly string[]
  readonly preview?: ApprovalPreview
  readonly reason?: string
}

const RULE = /^(?:owner|(?:role|scope|user):[^\s:][^\n]{0,127})$/
const MAX_TTL = 7 * 86_400_000
const MAX_ARGUMENTS = 65_536
const MAX_TEXT = 256

/** @throws ConfigError for rules, counts or texts out of bounds; @param ttl milliseconds */
export function checkRequest(act: Act, by: readonly string[], ttl: number, rows: number | undefined): void {
  const place = `approval of "${act.action.slice(0, 60)}"`
  if (by.length === 0 || by.length > 10 || by.some(rule => !RULE.test(rule)))
    throw new ConfigError({
      place,
      problem: 'it does not say who may decide',
      hint: 'by: "role:owner", "scope:approve", "user:bob" or "owner"',
    })
  if (ttl < 1_000 || ttl > MAX_TTL)
    throw new ConfigError({ place, problem: 'its ttl must be between 1s and 7d' })
  if (rows !== undefined && !(Number.isSafeInteger(rows) && rows > 0))
    throw new ConfigError({ place, problem: 'rows must be a positive whole number' })
  if (act.actor.length > MAX_TEXT || act.action.length > MAX_TEXT || act.resource.length > MAX_TEXT)
    throw new ConfigError({
      place,
      problem: `actor, action or resource is longer than ${MAX_TEXT} characters`,
    })
  if (Buffer.byteLength(canonicalJson(act.arguments)) > MAX_ARGUMENTS)
    throw new ConfigError({ place, problem: `its arguments are longer than ${MAX_ARGUMENTS} bytes` })
}

/** What makes two requests the same request. Who is impersonated by whom is part of it. */
export function actKey(act: Act, tenant: string, people: readonly string[]): string {
  const text = canonicalJson([act.actor, act.action, act.resource, act.arguments, tenant, [...people].sort()])
  return createHash('sha256').update(text).digest('hex')
}

/** The digest of an act under the request with this id, made at that time; as hex. */
export function digestOf(act: Act, time: number, id: string): string {
  return Buffer.from(actDigest(act, time, id)).toString('hex')
}

/** Whether two digests are the same, in a time that does not tell where they differ. */
export function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a, 'hex'), Buffer.from(b, 'hex')]
  return left.length === right.length && timingSafeEqual(left, right)
}
