import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { InspectedRequest } from '../../packages/inspect/src/request/inspected-request.ts'
import { isOrdinaryRequest } from './ordinary-request.ts'

/** Which half of a list an attack is in, by the hash of its first form; only `tuned` is looked at. */
export type Half = 'tuned' | 'untouched'

/** An attack of our own lists, as one request. */
export interface ListedAttack {
  /** `published exploits`, `techniques in a query`, ... */
  readonly set: string
  /** In the order in which they were written, each before the rules of its round. */
  readonly list: 'first' | 'second' | 'third' | 'fourth' | 'fifth' | 'sixth' | 'seventh' | 'eighth' | 'ninth'
  readonly half: Half
  readonly request: InspectedRequest
}

interface Exploit {
  readonly list: ListedAttack['list']
  readonly half: Half
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

interface Technique {
  readonly list: ListedAttack['list']
  readonly half: Half
  readonly value: string
}

/** Two lines of code that once took nine attacks of ten past a leniency for documents. */
const SUFFIX = '\nint x = 1;\nreturn x;'
const FORM = 'application/x-www-form-urlencoded'
const ENCODED = /%[0-9a-f]{2}|%u[0-9a-f]{4}/i

/**
 * Requests of published exploits from 2010 to 2026 and values of known techniques, each value in every place
 * where requests carry one. All were written down before anybody looked which are found.
 */
export function* listedAttacks(): Generator<ListedAttack> {
  for (const { list, half, method, path, headers, body } of linesOf<Exploit>('exploits.jsonl')) {
    const isBytes = /[\u0080-\u00ff]/.test(body) && !/[\u0100-\uffff]/.test(body)
    const request = {
      method,
      target: path,
      headers: Object.entries(headers).flat(),
      ...(body !== '' && { body: Buffer.from(body, isBytes ? 'latin1' : 'utf8') }),
    }
    yield { set: 'published exploits', list, half, request }
    // Decided by the request alone, the same in both halves.
    if (!isOrdinaryRequest(request)) yield { set: 'exploits that carry an attack', list, half, request }
  }
  for (const { list, half, value } of linesOf<Technique>('techniques.jsonl')) {
    for (const [place, request] of Object.entries(placesOf(value)))
      yield { set: `techniques in ${place}`, list, half, request }
  }
}

/** A value in each place where requests carry one, encoded as a client would. */
export function placesOf(value: string): Readonly<Record<string, InspectedRequest>> {
  const isEncoded = ENCODED.test(value)
  // Beyond ASCII, and what ends a value, is encoded as a client would; what is encoded already stays.
  const sent = isEncoded
    ? value.replace(/[ &#+"<>\n\r]|[^\u0000-\u007f]/g, encodeURIComponent)
    : encodeURIComponent(value)
  const plain = isEncoded ? decoded(value) : value
  const get = (target: string, headers: readonly string[] = []): InspectedRequest => ({
    method: 'GET',
    target,
    headers,
  })
  const post = (type: string, body: string): InspectedRequest => ({
    method: 'POST',
    target: '/s',
    headers: ['content-type', type],
    body: Buffer.from(body),
  })
  return {
    'a query': get(`/s?q=${sent}`),
    'a query, with a suffix': get(`/s?q=${sent}${encodeURIComponent(SUFFIX)}`),
    'a form': post(FORM, `id=1&q=${sent}`),
    JSON: post('application/json', JSON.stringify({ id: 1, q: plain })),
    'a path': get(`/s/${sent}`),
    'the text of XML': post('application/xml', `<r><id>1</id><q>${inXml(plain)}</q></r>`),
    'a multipart field': post(
      'multipart/form-data; boundary=b',
      `--b\r\nContent-Disposition: form-data; name="q"\r\n\r\n${plain}\r\n--b--\r\n`,
    ),
    'a header': get('/', ['x-custom', value.replace(/[\r\n]/g, ' ')]),
    'a cookie': get('/', ['cookie', `a=1; q=${sent}`]),
  }
}

function inXml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;')
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

function linesOf<Line>(name: string): readonly Line[] {
  const text = readFileSync(join(import.meta.dirname, 'attacks', name), 'utf8')
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Line)
}
