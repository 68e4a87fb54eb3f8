import { createHmac, timingSafeEqual } from 'node:crypto'
import { canonicalJson, IntegrityError } from '@postern/core'
import type { Approval } from './approval.ts'

const DOMAIN = 'postern approval decision v2\n'

/**
 * HMAC-SHA256 over what a decision says: whose act, who consented, how many rows, until when. Who can write
 * to the database but has not the key cannot turn a pending request into an approved one.
 */
export function sealDecision(approval: Approval, key: Uint8Array): string {
  const { id, digest, tenant, behind, owner, by, rows, budgets, expiresAt, decidedBy, decidedAt } = approval
  const text = canonicalJson({
    id,
    digest,
    tenant,
    behind,
    owner,
    by,
    rows: rows ?? null,
    budgets,
    expiresAt,
    decidedBy: decidedBy ?? null,
    decidedAt: decidedAt ?? null,
  })
  return createHmac('sha256', key).update(DOMAIN).update(text).digest('hex')
}

/** @throws IntegrityError when the decision was not made with this key */
export function checkSeal(approval: Approval, seal: string, key: Uint8Array): void {
  const expected = Buffer.from(sealDecision(approval, key), 'hex')
  const given = Buffer.from(/^[0-9a-f]{64}$/.test(seal) ? seal : '00'.repeat(32), 'hex')
  if (!timingSafeEqual(expected, given))
    throw new IntegrityError(
      `approval ${approval.id}: the decision in the database was not made here; find out who wrote it`,
    )
}
