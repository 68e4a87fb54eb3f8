import { ConfigError } from '@postern/core'
import { locationTest } from './location-test.ts'
import { isParameterType, PARAMETER_TYPES, type ParameterType } from './parameter-type.ts'

/**
 * The types of parameters by location: `{ 'query.id': 'number', 'body.items.*.note': 'text', 'body.html':
 * 'markup' }`.
 */
export type ParameterSettings = Readonly<Record<string, ParameterType>>

/** What is known about the parameters of one route. */
export interface ParameterTypes {
  /** The type of what stands at a location (`query.id`), if it is known. */
  typeOf(location: string): ParameterType | undefined
  /** Whether what stands at a location was declared under this name, and not by a pattern that fits many. */
  declares(location: string): boolean
}

const LOCATION = /^(?:query|body|cookie|header|path)(?:\.[^.\s]{1,128}){0,32}$/

/** Whether a location can be written as the place of a parameter that has a type. */
export function isParameterLocation(location: string): boolean {
  return LOCATION.test(location)
}

/**
 * Compiles declared types; where several patterns fit, the first counts.
 * @param place where they stand in the configuration, for errors
 * @throws ConfigError naming every entry that cannot be read
 */
export function compileParameterTypes(settings: ParameterSettings, place: string): ParameterTypes {
  const issues: { place: string; problem: string; hint: string }[] = []
  const exact = new Map<string, ParameterType>()
  const patterns: { fits: (location: string) => boolean; type: ParameterType }[] = []
  for (const [pattern, type] of Object.entries(settings)) {
    const where = `${place}["${pattern.slice(0, 60)}"]`
    if (!isParameterLocation(pattern)) {
      issues.push({
        place: where,
        problem: 'is not the place of a parameter',
        hint: 'e.g. "query.id" or "body.items.*.note"',
      })
    }
    if (!isParameterType(type)) {
      issues.push({
        place: where,
        problem: `"${String(type).slice(0, 40)}" is not a type`,
        hint: `use one of ${PARAMETER_TYPES.join(', ')}`,
      })
    }
    if (pattern.includes('*')) patterns.push({ fits: locationTest(pattern, '.'), type })
    else exact.set(pattern.toLowerCase(), type)
  }
  if (issues.length > 0) throw new ConfigError(issues)
  return {
    typeOf(location) {
      const known = exact.get(location.toLowerCase())
      if (known !== undefined) return known
      for (const { fits, type } of patterns) if (fits(location)) return type
      return undefined
    },
    declares: location => exact.has(location.toLowerCase()),
  }
}

/** One source over another: what the first does not know, the second is asked. */
export function layeredTypes(first: ParameterTypes, second: ParameterTypes): ParameterTypes {
  return {
    typeOf: location => first.typeOf(location) ?? second.typeOf(location),
    declares: location => first.declares(location) || second.declares(location),
  }
}
