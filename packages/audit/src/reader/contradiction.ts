import type { Entry } from '../entry/entry.ts'
import type { AuditQuery } from './audit-query.ts'

/**
 * In which of the conditions that an index decides an entry is not what was asked for; undefined when it is
 * in all. The index is not signed: whoever can write it can name other entries.
 */
export function contradiction(query: AuditQuery, { event, tenant, personal }: Entry): string | undefined {
  const { from, to, resource } = query
  const open = personal === 'open'
  const compared: readonly (readonly [string, string | undefined, string | undefined])[] = [
    ['tenant', query.tenant, tenant],
    ['type', query.type, event.type],
    ['action', query.action, event.action],
    ['resource', resource?.type, event.resource?.type],
    ['resource', resource?.id, event.resource?.id],
    ['decision', query.decision, event.decision],
    ['request', query.request, event.request?.id],
    ['principal', open ? query.principal : undefined, event.actor.principal],
    ['address', open ? query.address : undefined, event.actor.address],
  ]
  for (const [name, asked, has] of compared)
    if (asked !== undefined && asked !== has && isPlain(has)) return name
  const isOutside = (from !== undefined && event.time < from) || (to !== undefined && event.time >= to)
  return isOutside ? 'time' : undefined
}

/** Whether a database keeps the text as it is: it has other characters for NUL and half a surrogate pair. */
function isPlain(text: string | undefined): boolean {
  return text === undefined || (text.isWellFormed() && !text.includes('\0'))
}
