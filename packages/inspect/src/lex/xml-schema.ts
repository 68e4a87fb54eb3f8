import type { Span } from '../rule/rule.ts'
import type { Reading } from '../value/reading.ts'
import { PUBLIC_NAME } from './public-name.ts'
import { SCHEMA_HOST } from './xml-fetch.ts'

/** Where a document says that its schemas lie (XML Schema 1.1, part 1, section 2.7.3). */
export const SCHEMA_LOCATION: RegExp = /schemalocation\s{0,4}=\s{0,4}["']([^"']{0,2048})/g

/** A schema on a machine of a private network (RFC 1918), where companies keep theirs. */
const PRIVATE_SCHEMA =
  /^https?:\/\/(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3}(?::\d{1,5})?\/[\w./-]{1,160}(?:\.xsd|[?&]xsd(?:=[\w.-]{1,40})?)$/

/** A schema with a public name, and the namespace that it is for. */
const PUBLISHED = new RegExp(`^https?://(${PUBLIC_NAME})/[\\w./~-]{0,200}$`)

/** Whether a schema lies with whom its namespace is of, as those who publish formats do. */
function isPublishedBeside(namespace: string | undefined, address: string): boolean {
  const host = PUBLISHED.exec(address)?.[1]
  return host !== undefined && address.endsWith('.xsd') && PUBLISHED.exec(namespace ?? '')?.[1] === host
}

/**
 * A document that has its schema fetched from somewhere: in pairs of a namespace and where its schema lies,
 * or that alone.
 */
export function findForeignSchema({ lower, place }: Reading): Span | undefined {
  for (const found of lower.matchAll(SCHEMA_LOCATION)) {
    const words = (found[1] ?? '').trim().split(/\s{1,64}/)
    const isForeign = (address: string, namespace?: string): boolean =>
      /^(?:[a-z]{2,12}:){0,3}[/\\]{2}|^(?:file|netdoc):/.test(address) &&
      !SCHEMA_HOST.test(address) &&
      !(place === 'body' && (PRIVATE_SCHEMA.test(address) || isPublishedBeside(namespace, address)))
    if (words.some((word, i) => (words.length === 1 || i % 2 === 1) && isForeign(word, words[i - 1])))
      return { start: found.index, end: found.index + found[0].length }
  }
  return undefined
}
