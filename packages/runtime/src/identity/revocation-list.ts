import type { CompiledConfig } from '@postern/config'
import { ALLOW, type Event, type Exchange, type Guard, type Principal } from '@postern/core'
import { Revocations } from '@postern/identity'
import {
  laterRevocations,
  postgresRevocations,
  type RevocationTable,
  redisRevocations,
  sqliteRevocations,
} from '@postern/identity/revocation'
import { credentialOf } from '@postern/identity/verify'
import type { Connections } from '../stores/connections.ts'

/** Whether there is anything to revoke, and a place for the list: not where everything is in memory only. */
export function keepsRevocations(
  { identify, identity }: CompiledConfig,
  { redis, postgres, isMemoryOnly }: Connections,
): boolean {
  if (identify === undefined && identity === undefined) return false
  return redis !== undefined || postgres !== undefined || !isMemoryOnly
}

/** Events of built-in identity after which what is open for the principal may no longer hold. */
const ENDING: ReadonlySet<string> = new Set([
  'session.ended',
  'session.revoked',
  'account.disabled',
  'account.deleted',
  'account.roles-changed',
  'key.revoked',
  'key.leaked',
])

/**
 * Has every process check again what is open for a principal, once built-in identity ended something of it.
 * Built-in identity asks its database for each request; only what is open already needs this.
 * @returns when the others were notified; a failure leaves it to the next regular check
 */
export async function noteEnding(revocations: Revocations | undefined, event: Event): Promise<void> {
  const { principal } = event.actor
  if (principal === undefined || !ENDING.has(event.type)) return
  await revocations?.noteChange(principal).catch(() => undefined)
}

/**
 * The list of what was revoked before its end, where the other shared state is: Redis, PostgreSQL, or the
 * embedded database.
 * A store that is away is waited for: until it was read nothing is revoked, and readiness says so.
 * @throws StoreError for a store that cannot be used at all, as with a wrong password
 */
export async function openRevocations(connections: Connections): Promise<Revocations> {
  return new Revocations({ table: tableOf(connections) }).start({ whenAway: 'start' })
}

function tableOf(connections: Connections): RevocationTable {
  const { redis, postgres } = connections
  if (redis !== undefined) return redisRevocations({ redis })
  if (postgres !== undefined) return laterRevocations('postgres', () => postgresRevocations(postgres))
  return sqliteRevocations(connections.sqlite)
}

/**
 * Whether the session or token that a principal was identified by is revoked, or everything that it was
 * given until then. The time of the sign-in (`authenticatedAt`) counts, for a stolen session is refreshed
 * later; else that of the token. Without either it is revoked as long as the entry is kept: nobody can tell a
 * new sign-in from the old one.
 */
export function isRevoked(revocations: Revocations, principal: Principal): boolean {
  const { id, authenticatedAt } = principal
  if (id === '') return false
  const { session, issuedAt = 0 } = credentialOf(principal) ?? {}
  return revocations.isRevoked(session, id, authenticatedAt ?? issuedAt)
}

/**
 * For an application that says after the guards who acts: refuses who is revoked, and has the browser drop
 * its cookies, or it could not even ask for the page that signs in.
 */
export function revocationGuard(revocations: Revocations): Guard {
  return {
    name: 'revocation',
    failure: 'closed',
    decide: ({ principal }: Exchange) =>
      isRevoked(revocations, principal)
        ? {
            effect: 'challenge',
            guard: 'revocation',
            status: 401,
            headers: ['WWW-Authenticate', 'Bearer error="invalid_token"', 'Clear-Site-Data', '"cookies"'],
            reasons: [
              { rule: 'revocation/principal', message: 'This sign-in no longer holds. Sign in again.' },
            ],
          }
        : ALLOW,
  }
}
