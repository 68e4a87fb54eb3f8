import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type InspectedRequest, inspect } from '../src/index.ts'

/** Kinds of honest requests, by name, each with the attacks that look like it. */
export type HonestKinds = Readonly<
  Record<
    string,
    { readonly honest: readonly InspectedRequest[]; readonly attacks: readonly InspectedRequest[] }
  >
>

/** A `GET` with a query. */
export function asked(path: string, query: Readonly<Record<string, string>>): InspectedRequest {
  return { method: 'GET', target: `${path}?${new URLSearchParams(query)}`, headers: [] }
}

/** A `POST` with a body as it is. */
export function posted(type: string, body: string, path = '/api/items'): InspectedRequest {
  return { method: 'POST', target: path, headers: ['content-type', type], body: Buffer.from(body) }
}

/** A `POST` of JSON. */
export function sent(body: unknown, path?: string): InspectedRequest {
  return posted('application/json', JSON.stringify(body), path)
}

/** A `POST` of a form. */
export function filled(fields: Readonly<Record<string, string>>, path?: string): InspectedRequest {
  return posted('application/x-www-form-urlencoded', `${new URLSearchParams(fields)}`, path)
}

/** Tests that what is honest passes, and that no attack beside it does. */
export function testKinds(kinds: HonestKinds): void {
  for (const [kind, { honest, attacks }] of Object.entries(kinds))
    describe(kind, () => {
      test('passes', () => {
        for (const request of honest) {
          const { verdict, matches } = inspect(request)
          assert.equal(verdict, 'pass', `${request.target} ${request.body ?? ''}: ${matches[0]?.rule}`)
        }
      })
      test('does not excuse what is an attack beside it', () => {
        for (const request of attacks)
          assert.notEqual(inspect(request).verdict, 'pass', `${request.target} ${request.body ?? ''}`)
      })
    })
}
