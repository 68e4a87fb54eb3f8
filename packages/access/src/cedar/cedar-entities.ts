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
  | Readonly<Record<string, never>>

/**
 * What becomes of a value that Cedar has no type for: it is left out, or an empty record stands for it.
 * Left out, it passes a `forbid` that asks whether it is there and vanishes from lists; as a record, it
 * satisfies a permit by being different. So a question with such a value is asked both ways.
 */
export type Untyped = 'absent' | 'record'

const RECORD: CedarValue = Object.freeze({})

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
    attrs: attributesOf({ id: principal.id, tenant, plan, actor, authenticatedAt, scopes }, 'absent'),
    parents: roles.map(id => ({ type: 'Role', id })),
  }
}

/** The resource: `order::"7"` with its fields as attributes; a type without an id is `order::""`. */
export function resourceEntity({ type, fields = {} }: Resource, untyped: Untyped): CedarEntity {
  const id = 'id' in fields ? fields.id : ''
  return {
    uid: { type: type === '' ? 'Nothing' : type, id: typeof id === 'object' ? '' : String(id) },
    attrs: attributesOf(fields, untyped),
    parents: [],
  }
}

/** What a request says of itself. */
export function contextOf(
  { attributes = {}, time }: Context,
  isTimed: boolean,
  untyped: Untyped,
): Readonly<Record<string, CedarValue>> {
  // To the second: a cache of decisions would otherwise never be asked the same thing twice.
  const now = isTimed && time !== undefined ? { time: Math.floor(time / 1_000) * 1_000 } : {}
  return { ...attributesOf(attributes, untyped), ...now }
}

/** Whether a resource or context holds a value that Cedar has no type for. */
export function holdsUntyped(resource: Resource, { attributes = {} }: Context): boolean {
  return [resource.fields ?? {}, attributes].some(values =>
    Object.values(values).some(value => isUntyped(value, 0)),
  )
}

/** Null is left out, as Cedar has none: a policy that reads it cannot be evaluated then. */
function attributesOf(values: object, untyped: Untyped): Readonly<Record<string, CedarValue>> {
  const entries = Object.entries(values).flatMap(([name, value]): [string, CedarValue][] => {
    const converted = cedarValueOf(value, 0, untyped)
    return converted === undefined ? [] : [[name, converted]]
  })
  return Object.fromEntries(entries)
}

function cedarValueOf(value: unknown, depth: number, untyped: Untyped): CedarValue | undefined {
  if (isUntyped(value, depth) && !Array.isArray(value)) return untyped === 'record' ? RECORD : undefined
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isSafeInteger(value) ? value : decimal(value)
    case 'bigint':
      return Number(value)
    case 'object':
      if (value instanceof Date) return value.getTime()
      if (!Array.isArray(value)) return undefined
      if (depth >= MAX_LISTS) return untyped === 'record' ? RECORD : undefined
      return value
        .map(item => cedarValueOf(item, depth + 1, untyped) ?? (untyped === 'record' ? RECORD : undefined))
        .filter(item => item !== undefined)
    default:
      return undefined
  }
}

/** How deep lists of lists are read. */
const MAX_LISTS = 3

function isUntyped(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
      return !value.isWellFormed()
    case 'number':
      return !Number.isSafeInteger(value) && decimal(value) === undefined
    case 'bigint':
      return !Number.isSafeInteger(Number(value))
    case 'object':
      if (value === null) return depth > 0
      if (value instanceof Date) return !Number.isFinite(value.getTime())
      if (!Array.isArray(value)) return true
      return depth >= MAX_LISTS || value.some(item => isUntyped(item, depth + 1))
    case 'undefined':
      return depth > 0
    default:
      return false
  }
}

/** Cedar's decimals have four digits behind the point; a number that needs more has no exact value there. */
function decimal(value: number): CedarValue | undefined {
  if (!Number.isFinite(value) || Math.abs(value) >= 9e14) return undefined
  const text = value.toFixed(4)
  return Number(text) === value ? { __extn: { fn: 'decimal', arg: text } } : undefined
}
