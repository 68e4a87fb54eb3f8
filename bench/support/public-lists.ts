import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Half } from './attack-lists.ts'

/** A value of a list that others published, as it would be sent in a query. */
export interface PublicValue {
  /** `sqlmap`, `wfuzz SQL`, ... */
  readonly set: string
  readonly half: Half
  readonly value: string
}

const WFUZZ: Readonly<Record<string, string>> = {
  'wfuzz SQL': 'Injections/SQL.txt',
  'wfuzz SQL, second list': 'vulns/sql_inj.txt',
  'wfuzz XSS': 'Injections/XSS.txt',
  'wfuzz XML': 'Injections/XML.txt',
  'wfuzz traversal': 'Injections/Traversal.txt',
  'wfuzz traversal, second list': 'vulns/dirTraversal.txt',
}
const TECHNIQUES = [
  'boolean_blind',
  'error_based',
  'inline_query',
  'stacked_queries',
  'time_blind',
  'union_query',
]
/** Of what may stand around a payload of sqlmap, so many for each. */
const BOUNDARIES = 4

/**
 * Values of attack lists that Debian's packages `sqlmap` and `wfuzz` install; none where they are not
 * installed. No rule was written with them at hand; halves by hash, as everywhere.
 * @param root where the packages keep their data
 */
export function* publicValues(
  root: string = process.env['POSTERN_PUBLIC_LISTS'] ?? '/usr/share',
): Generator<PublicValue> {
  for (const [set, file] of Object.entries(WFUZZ)) {
    const path = join(root, 'wfuzz/wordlist', file)
    if (!existsSync(path)) continue
    const lines = readFileSync(path, 'latin1')
      .split(/\r?\n/)
      .filter(line => !line.startsWith('# '))
    // What is shorter is a sign to try, or a word; the place of the file is for whoever uses the list.
    const values = lines.map(line => line.trim().replace('{FILE}', 'etc/passwd'))
    for (const value of new Set(values.filter(line => line.length > 2)))
      yield { set, half: halfOf(value), value }
  }
  const data = join(root, 'sqlmap/data/xml')
  if (!existsSync(data)) return
  const boundaries = elements(readFileSync(join(data, 'boundaries.xml'), 'utf8'), 'boundary')
  for (const technique of TECHNIQUES) {
    const path = join(data, 'payloads', `${technique}.xml`)
    for (const test of elements(readFileSync(path, 'utf8'), 'test'))
      for (const value of payloads(test, boundaries))
        yield { set: `sqlmap ${technique.replace('_', ' ')}`, half: halfOf(value), value }
  }
}

/** What sqlmap sends for one of its tests. */
function payloads(test: string, boundaries: readonly string[]): readonly string[] {
  const payload = text(test, 'payload')
  // Union queries are made of columns by the program itself.
  if (payload === '' || payload === '[UNION]') return []
  const comment = text(test, 'comment')
  const places = text(test, 'where').split(',')
  if (places.includes('3')) return [filled(`${payload}${comment}`)]
  const clauses = text(test, 'clause').split(',')
  return boundaries
    .filter(boundary =>
      text(boundary, 'clause')
        .split(',')
        .some(clause => clause === '0' || clauses.includes(clause)),
    )
    .filter(boundary =>
      text(boundary, 'where')
        .split(',')
        .some(place => places.includes(place)),
    )
    .slice(0, BOUNDARIES)
    .map(boundary => {
      const end = comment === '' ? text(boundary, 'suffix') : comment
      return filled(`${places.includes('2') ? '-1' : '1'}${text(boundary, 'prefix')} ${payload}${end}`)
    })
}

/** A payload with its placeholders filled in as sqlmap would. */
function filled(payload: string): string {
  return payload
    .replace(/\[(?:RANDNUM\d?|ORIGVALUE|CHAR)\]/g, '5837')
    .replace(/\[RANDSTR\d?\]/g, 'Kxtz')
    .replaceAll('[INFERENCE]', '5837=5837')
    .replaceAll('[SLEEPTIME]', '5')
    .replaceAll('[DELAYED]', '5000000')
    .replace(/\[DELIMITER_(?:START|STOP)\]/g, 'qkxzq')
    .replaceAll('[GENERIC_SQL_COMMENT]', '-- Kxtz')
    .replace(/\[(?:SPACE|DOLLAR|HASH|AT)_REPLACE\]/g, 'qaq')
    .replaceAll('[QUERY]', 'SELECT version()')
}

function elements(document: string, name: string): readonly string[] {
  const withoutComments = document.replace(/<!--[\s\S]*?-->/g, '')
  return [...withoutComments.matchAll(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`, 'g'))].map(
    found => found[1] ?? '',
  )
}

function text(element: string, name: string): string {
  const found = new RegExp(`<${name}>([\\s\\S]*?)</${name}>`).exec(element)?.[1] ?? ''
  return found
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
}

function halfOf(value: string): Half {
  const digit = createHash('md5').update(value, 'latin1').digest('hex')[0] ?? '0'
  return Number.parseInt(digit, 16) % 2 === 0 ? 'tuned' : 'untouched'
}
