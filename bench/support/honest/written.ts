import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Half } from '../attack-lists.ts'
import type { HonestRequest } from './draws.ts'

interface Line {
  readonly list: WrittenRequest['list']
  readonly kind: string
  readonly half: Half
  readonly method: string
  readonly path: string
  readonly type: string
  /** Besides the type of the body. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

/** A request that was written down, with the half of the list that it is in. */
export interface WrittenRequest extends HonestRequest {
  /**
   * Each was written before anybody looked which are refused, and after rules were tuned on the ones before.
   */
  readonly list: 'first' | 'second' | 'third' | 'fourth' | 'fifth' | 'sixth' | 'seventh'
  readonly half: Half
}

/** Honest requests of 251 kinds in seven lists, written down before anybody looked which are refused. */
export function writtenRequests(): readonly WrittenRequest[] {
  return readFileSync(join(import.meta.dirname, 'requests.jsonl'), 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => {
      const { type, headers, ...request } = JSON.parse(line) as Line
      return { ...request, headers: { ...(type !== '' && { 'content-type': type }), ...headers } }
    })
}
