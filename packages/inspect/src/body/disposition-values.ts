import { decodeWords } from '../canonicalise/encoded-words.ts'
import { decodeUrl } from '../canonicalise/url.ts'

/** The values of some parameters, also as mail readers read them. */
export function valuesOf(parameters: readonly (readonly [string, string])[], wanted: RegExp): string[] {
  const named = parameters.filter(([name]) => wanted.test(name))
  const values = named.map(([, value]) => value)
  return [...new Set([...values.flatMap(readingsOf), ...continued(named)])]
}

/** A value as mail readers, those who undo every escape, and those who pass over a second sign read it. */
function readingsOf(value: string): readonly string[] {
  return [value, decodeWords(value), value.replace(/\\(.)/g, '$1'), value.replace(/^=+"?|"$/g, '')]
}

const CONTINUED = /^([\w-]{1,20})\*(\d{1,3})\*?$/

/** What is divided among parameters with numbers (RFC 2231 section 3). */
function continued(parameters: readonly (readonly [string, string])[]): readonly string[] {
  const parts = parameters
    .map(([name, value]) => ({ at: CONTINUED.exec(name), value }))
    .filter(({ at }) => at !== null)
    .sort((a, b) => Number(a.at?.[2]) - Number(b.at?.[2]))
  if (parts.length === 0) return []
  const joined = parts.map(({ value }) => value).join('')
  return [joined, decodeUrl(joined.replace(/^[\w-]{0,20}'[\w-]{0,20}'/, ''), false)]
}
