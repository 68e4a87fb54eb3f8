import type { ConfigChange, ConfigException } from '@postern/core'
import type { ConfigFile } from '../file/config-file.ts'
import { isLimit } from './apply-exception.ts'

/**
 * An exception in terms of the configuration that is loaded: for each change the innermost place that exists
 * in it, and what to write there. A command to run stands last.
 */
export function describeException(
  exception: ConfigException,
  file: Pick<ConfigFile, 'path' | 'value'>,
): readonly string[] {
  const style = file.path !== undefined && /\.json$/.test(file.path) ? 'json' : 'script'
  return [
    ...exception.changes.flatMap(change => describeChange(change, file.value, style)),
    ...(exception.note === undefined ? [] : [exception.note]),
    ...(exception.command === undefined ? [] : [`run  ${exception.command}`]),
  ]
}

type Style = 'json' | 'script'

function describeChange(change: ConfigChange, config: unknown, style: Style): readonly string[] {
  const { at } = change
  let depth = 0
  let value = config
  while (depth < at.length && isObject(value) && value[at[depth] as string] !== undefined) {
    value = value[at[depth] as string]
    depth++
  }
  const place = placeOf(at.slice(0, depth), style)
  if ('remove' in change) return [`from ${placeOf(at, style)} remove  ${items(change.remove, style)}`]
  if (depth === at.length) {
    return 'set' in change
      ? [`set ${place} to  ${literal(change.set, style)}`]
      : [`to ${place} add  ${items(change.add, style)}`]
  }
  const inner = literal('set' in change ? change.set : change.add, style)
  const rest = at
    .slice(depth)
    .reduceRight(
      (text, key, i) => (i === 0 ? `${name(key, style)}: ${text}` : `{ ${name(key, style)}: ${text} }`),
      inner,
    )
  if (isLimit(at.slice(0, depth)) && !(isObject(value) && !('kind' in value)))
    return [`set ${place} to  { ${name('limit', style)}: ${standing(value, style)}, ${rest} }`]
  return [depth === 0 ? `add  ${rest}` : `to ${place} add  ${rest}`]
}

/**
 * What stands there now, as far as it can be written: a rule that a function made is left for its author to
 * repeat.
 */
function standing(value: unknown, style: Style): string {
  return typeof value === 'string' ? literal(value, style) : '<the limit that stands there>'
}

function items(list: readonly unknown[], style: Style): string {
  return list.map(item => literal(item, style)).join(', ')
}

function placeOf(path: readonly string[], style: Style): string {
  return path.reduce(
    (text, key) =>
      /^[A-Za-z_]\w*$/.test(key) ? (text === '' ? key : `${text}.${key}`) : `${text}[${literal(key, style)}]`,
    '',
  )
}

function name(key: string, style: Style): string {
  return style === 'script' && /^[A-Za-z_]\w*$/.test(key) ? key : literal(key, style)
}

/** A value as JSON, or as a script and YAML's flow style both read it. */
function literal(value: unknown, style: Style): string {
  if (typeof value === 'string')
    return style === 'script' && /^[^'"\\\p{C}]*$/u.test(value) ? `'${value}'` : JSON.stringify(value)
  if (Array.isArray(value)) return `[${items(value, style)}]`
  if (!isObject(value)) return JSON.stringify(value)
  const entries = Object.entries(value).map(([key, item]) => `${name(key, style)}: ${literal(item, style)}`)
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
