import type { Remediation } from '@postern/core'

/** A change by another process. */
export type TableChange =
  | { readonly kind: 'put'; readonly remediation: Remediation }
  | { readonly kind: 'removed'; readonly id: string }
  /** Something changed, or was missed: read everything again. */
  | { readonly kind: 'stale' }

/** Where remediations are kept and shared. All errors are `StoreError`. */
export interface RemediationTable {
  /** For people: `sqlite`, `postgres`, `redis`, `memory`. */
  readonly name: string
  /**
   * Everything that has not ended at `now` (epoch milliseconds), at most `limit`, longest-lasting first;
   * or `lost` when the table lost its contents (a Redis that restarted without its data), so that
   * everything in memory must be written again.
   */
  load(now: number, limit: number): Promise<readonly Remediation[] | 'lost'>
  /** Adds or replaces by id, and notifies the other processes. */
  put(remediation: Remediation): Promise<void>
  /** Removes by id, and notifies the other processes. */
  remove(id: string): Promise<void>
  /** Calls back for changes by others (own ones may come back too) within a second. */
  watch(changed: (change: TableChange) => void): Promise<void>
  close(): Promise<void>
}

/** The same remediation on a clock that shows so many milliseconds more. */
export function shifted(remediation: Remediation, ms: number): Remediation {
  if (ms === 0) return remediation
  const { createdAt, expiresAt } = remediation
  return { ...remediation, createdAt: createdAt + ms, expiresAt: expiresAt + ms }
}

/** A table in the memory of one process. */
export function memoryRemediations(): RemediationTable {
  return {
    name: 'memory',
    load: async () => [],
    put: async () => {},
    remove: async () => {},
    watch: async () => {},
    close: async () => {},
  }
}

/** A stored row as a remediation, or undefined for an invalid row: stores are not trusted blindly. */
export function readRemediation(row: unknown): Remediation | undefined {
  if (typeof row !== 'object' || row === null) return undefined
  const { id, kind, value, measure, reason, origin, createdAt, expiresAt } = row as Record<string, unknown>
  const isText = [id, kind, value, measure, reason, origin].every(
    text => typeof text === 'string' && text.length <= 1_024,
  )
  const created = Number(createdAt)
  const expires = Number(expiresAt)
  if (!isText || !Number.isFinite(created) || !Number.isFinite(expires)) return undefined
  if (measure !== 'block' && measure !== 'throttle' && measure !== 'challenge') return undefined
  if (!isActorKind(kind)) return undefined
  return {
    id: id as string,
    actor: { kind, value: value as string },
    measure,
    reason: reason as string,
    origin: origin as string,
    createdAt: created,
    expiresAt: expires,
  }
}

function isActorKind(kind: unknown): kind is Remediation['actor']['kind'] {
  return (
    kind === 'address' ||
    kind === 'network' ||
    kind === 'principal' ||
    kind === 'tenant' ||
    kind === 'device' ||
    kind === 'key'
  )
}

/** The flat form that tables keep. */
export interface RemediationRow {
  readonly id: string
  readonly kind: string
  readonly value: string
  readonly measure: string
  readonly reason: string
  readonly origin: string
  readonly createdAt: number
  readonly expiresAt: number
}

export function writeRemediation(remediation: Remediation): RemediationRow {
  const { id, actor, measure, reason, origin, createdAt, expiresAt } = remediation
  return { id, kind: actor.kind, value: actor.value, measure, reason, origin, createdAt, expiresAt }
}
