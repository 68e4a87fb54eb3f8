import { ConfigError, type ConfigIssue } from '@postern/core'
import { hexOf, openFields, readSigningKey, type SigningKey, signFields, textOf } from './signed-token.ts'

/**
 * What an approval gives: one transaction of one actor, doing one act, may change this many rows under these
 * budgets. It is good once, until it expires.
 *
 * The approving side makes and signs it (`signBudgetGrant`) with a key that the application does not hold;
 * `actingAs({ ..., act, grant })` carries it to the database, which verifies it, compares actor, tenant and
 * act with those of the signed claim, and takes it in the transaction that uses it: two transactions with one
 * grant wait for each other, and the second is refused. A transaction that rolls back leaves it unused.
 */
export interface BudgetGrant {
  /** At least 16 random bytes as hex: what makes it one-use. */
  readonly id: string
  /** Who may use it, as in `Act.actor`: `user:alice`. Never the one who approved. */
  readonly actor: string
  /** Tenant of the actor; empty when there is none. */
  readonly tenant: string
  /** `actDigest` (of `@postern/core`) of the approved act, as 64 lower-case hex characters. */
  readonly act: string
  /** Names of the budgets it stands in for: `orders.delete`. One to sixteen. */
  readonly budgets: readonly string[]
  /** Rows at most, over all tables and statements of the transaction, for each of the budgets. */
  readonly rows: number
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

const KIND = 'g1'
const FIELDS = 9
const HEX_ID = /^(?:[0-9a-f]{2}){16,64}$/
const HEX_DIGEST = /^[0-9a-f]{64}$/
const MAX_BUDGETS = 16

/**
 * A grant as a token for `actingAs`. Whoever holds the key can open any budget: keep it where
 * approvals are decided, not in the application.
 * @throws ConfigError naming every field that is out of bounds
 */
export function signBudgetGrant(grant: BudgetGrant, written: SigningKey | string): string {
  const key = readSigningKey(written, 'grant key')
  const issues: ConfigIssue[] = []
  const check = (holds: boolean, name: keyof BudgetGrant, problem: string): void => {
    if (!holds) issues.push({ place: `grant.${name}`, problem })
  }
  check(HEX_ID.test(grant.id), 'id', 'is not 16 to 64 bytes of lower-case hex')
  check(grant.actor !== '' && grant.actor.length <= 256, 'actor', 'has no or more than 256 characters')
  check(grant.tenant.length <= 256, 'tenant', 'has more than 256 characters')
  check(HEX_DIGEST.test(grant.act), 'act', 'is not 64 lower-case hex characters')
  check(
    grant.budgets.length > 0 && grant.budgets.length <= MAX_BUDGETS,
    'budgets',
    `must be 1 to ${MAX_BUDGETS} names`,
  )
  check(Number.isSafeInteger(grant.rows) && grant.rows > 0, 'rows', 'is not a positive whole number')
  check(Number.isSafeInteger(grant.expiresAt) && grant.expiresAt > 0, 'expiresAt', 'is not a time')
  if (issues.length > 0) throw new ConfigError(issues)
  return signFields(
    [
      KIND,
      String(key.id),
      grant.id,
      hexOf(grant.actor),
      hexOf(grant.tenant),
      grant.act,
      grant.budgets.map(hexOf).join('.'),
      String(grant.rows),
      String(grant.expiresAt),
    ],
    key.secret,
  )
}

/**
 * The grant of a token whose signature holds and that has not expired, to show it to people; undefined
 * otherwise. Whether it was used only the database knows.
 * @param now epoch milliseconds
 */
export function openBudgetGrant(
  token: string,
  keys: readonly SigningKey[],
  now: number,
): BudgetGrant | undefined {
  const fields = openFields(token, FIELDS, ([kind, id]) =>
    kind === KIND ? keys.find(key => String(key.id) === id)?.secret : undefined,
  )
  if (fields === undefined) return undefined
  const [, , id = '', actor = '', tenant = '', act = '', budgets = '', rows, expiresAt] = fields
  const grant: BudgetGrant = {
    id,
    actor: textOf(actor),
    tenant: textOf(tenant),
    act,
    budgets: budgets.split('.').map(textOf),
    rows: Number(rows),
    expiresAt: Number(expiresAt),
  }
  return grant.expiresAt > now ? grant : undefined
}
