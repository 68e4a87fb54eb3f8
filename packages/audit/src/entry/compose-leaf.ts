import type { Event } from '@postern/core'
import { encodeLeaf, splitEvent } from './entry.ts'
import { type SubjectKey, sealNonce, sealPersonal } from './seal.ts'

export interface ComposeLeaf {
  readonly event: Event
  readonly index: number
  /** Number among the tenant's entries. */
  readonly number: number
  readonly origin: string
  /** Key of the event's subject; must be given when the event has one. */
  readonly key: SubjectKey | undefined
  /** Random bytes that are never used again with this index. */
  readonly salt: Uint8Array
}

/** The bytes of an entry, with its personal part sealed. */
export function composeLeaf({ event, index, number, origin, key, salt }: ComposeLeaf): Buffer {
  const { open, personal } = splitEvent(event)
  if (personal !== undefined && key === undefined)
    throw new TypeError('an event with a subject needs its key')
  return encodeLeaf({
    v: 1,
    index,
    tenant: event.actor.tenant ?? '',
    number,
    event: open,
    ...(personal !== undefined &&
      key !== undefined && {
        sealed: sealPersonal(personal, key, sealNonce(salt, index), { origin, index }),
      }),
  })
}

/** Type of the entry that records the erasure of a subject. */
export const ERASED = 'audit.subject.erased'

/** A request to erase a subject. */
export interface Erasure {
  /** Id of the subject's key. */
  readonly key: string
  readonly tenant: string
  readonly time: number
}

/** The entry about an erasure names the subject's key, which the subject's leaves contain, and no person. */
export function erasureEvent({ key, tenant, time }: Erasure): Event {
  return { type: ERASED, time, actor: tenant === '' ? {} : { tenant }, data: { key } }
}
