import { createHmac, timingSafeEqual } from 'node:crypto'
import { IntegrityError } from '@postern/core'
import { digestOf, isEqual } from './approval-request.ts'
import type { StoredApproval } from './approval-row.ts'

const DOMAIN = 'postern approval request v1\n'

/** The columns of a request, in the order in which they are sealed: all that are written when it is made. */
const SEALED = [
  ...['id', 'digest', 'actor', 'action', 'resource', 'arguments', 'tenant', 'behind', 'owner', 'decides'],
  ...['rows_allowed', 'budgets', 'preview', 'reason', 'requested_at', 'expires_at'],
] as const

/**
 * HMAC-SHA256 over a request as it is stored: who asks, for what, who may decide, and what they are shown.
 * Who can write to the database but has not the key cannot become an approver, nor have a consent given for
 * another act than the one that was looked at.
 */
export function sealRequest(row: Readonly<Record<string, unknown>>, key: Uint8Array): string {
  // Drivers give large integers as numbers or as texts.
  const values = SEALED.map(name => String(row[name] ?? ''))
  return createHmac('sha256', key).update(DOMAIN).update(JSON.stringify(values)).digest('hex')
}

/**
 * That a waiting request is the one that was made. Without a key, that it is at least for the act it shows.
 * @throws IntegrityError
 */
export function checkRequestSeal({ approval, seal, row }: StoredApproval, key: Uint8Array | undefined): void {
  if (approval.state !== 'pending') return
  const { id, act, requestedAt, digest } = approval
  const isSealed =
    key === undefined ||
    timingSafeEqual(bytesOf(sealRequest(row, key)), bytesOf(/^[0-9a-f]{64}$/.test(seal) ? seal : ''))
  if (!isSealed || !isEqual(digestOf(act, requestedAt, id), digest))
    throw new IntegrityError(
      `approval ${id}: the request in the database is not the one that was made; find out who changed it`,
    )
}

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.padEnd(64, '0'), 'hex')
}
