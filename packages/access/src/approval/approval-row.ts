import { IntegrityError, type Json } from '@postern/core'
import type { Approval, ApprovalPreview, ApprovalState } from './approval.ts'
import type { Row } from './approval-database.ts'

/** An approval as it is kept, with the seal of the request or, once it is made, of its decision. */
export interface StoredApproval {
  readonly approval: Approval
  readonly seal: string
  /** What was read. */
  readonly row: Row
}

/** Reads a row that `APPROVAL_SQL` returned. @throws IntegrityError when it was not written here */
export function readApproval(row: Row): StoredApproval {
  const text = (name: string): string => String(row[name])
  const count = (name: string): number | undefined => {
    const value = row[name]
    return value === null || value === undefined ? undefined : Number(value)
  }
  const json = (name: string): Json => {
    try {
      return JSON.parse(text(name)) as Json
    } catch (cause) {
      throw new IntegrityError(`approval ${text('id')}: ${name} is not JSON; somebody has changed it`, {
        cause,
      })
    }
  }
  return {
    row,
    seal: text('seal'),
    approval: {
      id: text('id'),
      state: text('state') as ApprovalState,
      act: {
        actor: text('actor'),
        action: text('action'),
        resource: text('resource'),
        arguments: json('arguments'),
      },
      digest: text('digest'),
      tenant: text('tenant'),
      behind: list(json('behind')),
      owner: text('owner'),
      by: list(json('decides')),
      rows: count('rows_allowed'),
      budgets: list(json('budgets')),
      preview: json('preview') as ApprovalPreview,
      reason: text('reason'),
      requestedAt: Number(row['requested_at']),
      expiresAt: Number(row['expires_at']),
      decidedBy: row['decided_by'] === null ? undefined : text('decided_by'),
      decidedAt: count('decided_at'),
      note: text('note'),
    },
  }
}

function list(value: Json): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}
