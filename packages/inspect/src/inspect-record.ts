import { type InspectOptions, inspect } from './inspect.ts'
import type { Match } from './rule/match.ts'

/** One request as a line of a file has it: `postern inspect FILE.jsonl`. */
export interface RequestRecord {
  readonly id: string
  readonly method: string
  /** Path and query as sent. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What inspection says of one line. */
export interface RecordVerdict {
  readonly id: string
  /** `error` when the line is not a request. */
  readonly verdict: 'pass' | 'block' | 'too-big' | 'error'
  readonly matches: readonly Match[]
}

/** Inspects one record. Pure, never throws. */
export function inspectRecord(record: RequestRecord, options: InspectOptions = {}): RecordVerdict {
  const headers: string[] = []
  for (const [name, value] of Object.entries(record.headers)) headers.push(name, value)
  const body = record.body === '' ? undefined : Buffer.from(record.body)
  const { verdict, matches } = inspect({ method: record.method, target: record.path, headers, body }, options)
  return { id: record.id, verdict, matches }
}

/**
 * Inspects JSON lines, one request each, one verdict a line out, in order. Empty lines are left out; a line
 * that cannot be read is answered with the verdict
 * `error` and its number as the id.
 */
export async function* inspectLines(
  lines: AsyncIterable<string> | Iterable<string>,
  options: InspectOptions = {},
): AsyncGenerator<RecordVerdict> {
  let number = 0
  for await (const line of lines) {
    number++
    if (line.trim() === '') continue
    const record = parseRecord(line, number)
    yield record === undefined
      ? { id: `line ${number}`, verdict: 'error', matches: [] }
      : inspectRecord(record, options)
  }
}

function parseRecord(line: string, number: number): RequestRecord | undefined {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null) return undefined
    const { id, method, path, headers, body } = value as Record<string, unknown>
    if (typeof path !== 'string') return undefined
    return {
      id: typeof id === 'string' || typeof id === 'number' ? String(id) : `line ${number}`,
      method: typeof method === 'string' ? method : 'GET',
      path,
      headers: headersOf(headers),
      body: typeof body === 'string' ? body : body === undefined || body === null ? '' : JSON.stringify(body),
    }
  } catch {
    return undefined
  }
}

function headersOf(value: unknown): Record<string, string> {
  const headers: Record<string, string> = {}
  if (typeof value !== 'object' || value === null) return headers
  for (const [name, text] of Object.entries(value)) if (typeof text === 'string') headers[name] = text
  return headers
}
