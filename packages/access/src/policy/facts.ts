import type { Membership } from './membership.ts'
import { isSame, type Scalar } from './scalar.ts'
import { FALSE, TRUE, type Truth, UNKNOWN } from './truth.ts'

/** The fields of a resource, by the names its type gives them. */
export type Fields = Readonly<Record<string, unknown>>

/**
 * Relationships as they were when they were loaded. What was looked for and not there is false; what was
 * never looked for is unknown, and unknown never grants anything.
 */
export class Facts {
  readonly #parents = new Map<string, Map<string, Fields | null>>()
  readonly #members = new Map<string, Map<string, boolean>>()

  /** Notes a parent by its key, or (null) that there is none. */
  addParent(type: string, key: Scalar, fields: Fields | null): void {
    intoMap(this.#parents, type).set(keyText(key), fields)
  }

  /** Notes whether a principal belongs to a group. */
  addMember(membership: Membership, group: Scalar, principal: string, isMember: boolean): void {
    intoMap(this.#members, membershipName(membership)).set(pairText(group, principal), isMember)
  }

  /** The parent's fields; null when it does not exist, undefined when nobody looked. */
  parent(type: string, key: Scalar): Fields | null | undefined {
    return this.#parents.get(type)?.get(keyText(key))
  }

  /** Whether a principal belongs to a group; unknown when nobody looked. */
  member(membership: Membership, group: Scalar, principal: string): Truth {
    const known = this.#members.get(membershipName(membership))?.get(pairText(group, principal))
    return known === undefined ? UNKNOWN : known ? TRUE : FALSE
  }
}

/** Tells membership tables apart. */
export function membershipName({ table, group, principal }: Membership): string {
  return JSON.stringify([table, group, principal])
}

function intoMap<T>(maps: Map<string, Map<string, T>>, name: string): Map<string, T> {
  let map = maps.get(name)
  if (map === undefined) {
    map = new Map()
    maps.set(name, map)
  }
  return map
}

/** The text 1 and the number 1 are different keys; the numbers 1 and 1n are not. */
function keyText(key: Scalar): string {
  return typeof key === 'string' ? `"${key}` : isSame(key, 0) ? '0' : String(key)
}

function pairText(group: Scalar, principal: string): string {
  return JSON.stringify([keyText(group), principal])
}
