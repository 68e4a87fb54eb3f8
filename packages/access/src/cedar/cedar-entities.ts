import type { Principal } from '@postern/core'
import type { Context } from '../policy/context.ts'
import type { Resource } from '../policy/policy-set.ts'

/** A value as Cedar reads it from JSON. */
export type CedarValue =
  | string
  | number
  | boolean
  | readonly CedarValue[]
  | { readonly __entity: CedarUid }
  | { readonly __extn: { readonly fn: string; readonly arg: string } }

/** Type and id of an entity. */
export type CedarUid = {
  readonly type: string
  readonly id: string
}

/** An entity: what policies may ask about. */
export type CedarEntity = {
  readonly uid: CedarUid
  readonly attrs: Readonly<Record<string, CedarValue>>
  readonly parents: readonly CedarUid[]
}

const TYPES: Readonly<Record<Principal['kind'], string>> = {
  user: 'User',
  service: 'Service',
  apiKey: 'ApiKey',
  anonymous: 'Anonymous',
}

/** The caller: `User::"ann"` in `Role::"clerk"`, with tenant, plan, scopes and the like as attributes. */
export function principalEntity(principal: Principal): CedarEntity {
  const { tenant, plan, actor, authenticatedAt, scopes = [], roles = [] } = principal
  return {
    uid: { type: TYPES[principal.kind], id: principal.id },
    attrs: attributesOf({ id: principal.id, tenant, plan, actor, authenticatedAt, scopes }),
    parents: roles.map(id => ({ type: 'Role', id })),
  }
}

/** The resource: `order::"7"` with its fields as attributes; a type without an id is `order::""`. */
export function resourceEntity({ type, fields = {} }: Resource): CedarEntity {
  const id = 'id' in fields ? fields.id : ''
  return {
    uid: { type: type === '' ? 'Nothing' : type, id: typeof id === 'object' ? '' : String(id) },
    attrs: attributesOf(fields),
    parents: [],
  }
}

/** What a request says of itself. */
export function contextOf(
  { attributes = {}, time }: Context,
  isTimed: boolean,
): Readonly<Record<string, CedarValue>> {
  // To the second: a cache of decisions would otherwise never be asked the same thing twice.
  const now = isTimed && time !== undefined ? { time: Math.floor(time / 1_000) * 1_000 } : {}
  return { ...attributesOf(attributes), ...now }
}

/**
 * Values that Cedar has no type for are left out, as null is: a policy that reads them cannot be evaluated
 * then, and forbids if it is a `forbid`.
 */
function attributesOf(values: object): Readonly<Record<string, CedarValue>> {
  const entries = Object.entries(values).flatMap(([name, value]): [string, CedarValue][] => {
    const converted = cedarValueOf(value, 0)
    return converted === undefined ? [] : [[name, converted]]
  })
  return Object.fromEntries(entries)
}

function cedarValueOf(value: unknown, depth: number): CedarValue | undefined {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? value : undefined
    case 'boolean':
      return value
    case 'number':
      if (Number.isSafeInteger(value)) return value
      return Number.isFinite(value) ? decimal(value) : undefined
    case 'bigint':
      return Number.isSafeInteger(Number(value)) ? Number(value) : undefined
    case 'object':
      if (value instanceof Date) return Number.isFinite(value.getTime()) ? value.getTime() : undefined
      if (Array.isArray(value) && depth < 3)
        return value.map(item => cedarValueOf(item, depth + 1)).filter(item => item !== undefined)
      return undefined
    default:
      return undefined
  }
}

/** Cedar's decimals have four digits behind the point; a number that needs more has no exact value there. */
function decimal(value: number): CedarValue | undefined {
  const text = value.toFixed(4)
  return Number(text) === value && Math.abs(value) < 9e14
    ? { __extn: { fn: 'decimal', arg: text } }
    : undefined
}
