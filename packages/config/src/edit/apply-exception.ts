import { isDeepStrictEqual } from 'node:util'
import type { ConfigChange, ConfigException } from '@postern/core'

type Values = { readonly [key: string]: unknown }

/**
 * A configuration with an exception applied: what stands there already is kept, and a limit written as text
 * becomes an object that can hold more.
 * @param value the configuration as written; untouched
 */
export function applyException(value: unknown, exception: ConfigException): unknown {
  return exception.changes.reduce<unknown>((config, change) => changed(config, change, []), value ?? {})
}

function changed(value: unknown, change: ConfigChange, path: readonly string[]): unknown {
  const key = change.at[path.length]
  if (key === undefined) return final(value, change)
  const within = isLimit(path) ? asLimitObject(value) : value
  const values: Values = isObject(within) ? within : {}
  return { ...values, [key]: changed(values[key], change, [...path, key]) }
}

function final(value: unknown, change: ConfigChange): unknown {
  if ('set' in change) return change.set
  const list: readonly unknown[] = Array.isArray(value) ? value : []
  if ('add' in change)
    return [...list, ...change.add.filter(item => !list.some(other => isDeepStrictEqual(other, item)))]
  return list.filter(item => !change.remove.some(other => isDeepStrictEqual(other, item)))
}

/**
 * Whether a limit stands at this place: a rule alone, as text or made by a function, or an object around one.
 */
export function isLimit(path: readonly string[]): boolean {
  return (
    (path.length === 2 && path[0] === 'limits') ||
    (path.length === 3 && path[0] === 'routes' && path[2] === 'throttle')
  )
}

function asLimitObject(value: unknown): unknown {
  return typeof value === 'string' || (isObject(value) && 'kind' in value) ? { limit: value } : value
}

function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
