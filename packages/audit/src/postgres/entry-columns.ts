import type { Event } from '@postern/core'
import { columnText } from './column-text.ts'

/**
 * The searchable columns of `audit_entries` beside the leaf. All of them are derived
 * from the leaf and its subject's key.
 */
export interface EntryColumns {
  readonly time: number
  readonly type: string
  readonly tenant: string
  readonly number: number
  readonly action: string | null
  readonly resource: string | null
  readonly resource_id: string | null
  readonly decision: string | null
  readonly request: string | null
  /** Id of the subject's key. */
  readonly subject: string | null
  /** The subject's own token for the address. */
  readonly address: Buffer | null
}

/** Where an entry's columns come from. */
export interface ColumnsOf {
  readonly event: Event
  readonly tenant: string
  readonly number: number
  readonly subject: string | null
  readonly address: Buffer | null
}

export function entryColumns({ event, tenant, number, subject, address }: ColumnsOf): EntryColumns {
  return {
    time: event.time,
    type: columnText(event.type),
    tenant: columnText(tenant),
    number,
    action: column(event.action),
    resource: column(event.resource?.type),
    resource_id: column(event.resource?.id),
    decision: column(event.decision),
    request: column(event.request?.id),
    subject,
    address,
  }
}

function column(text: string | undefined): string | null {
  return text === undefined ? null : columnText(text)
}
