import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type InspectedRequest, inspect } from '../src/index.ts'

/** What people and programs encode: space, brackets, list signs, and what some clients encode needlessly. */
const ENCODED = ['20', '21', '28', '29', '2B', '2C', '2D', '3A', '3D', '40', '5B', '5D', '5F']
/** Numbers with units and parts with letters, as they stand behind a space. */
const BEHIND = ['30c', '120s', '2500f', '12000d', '12345678x', '2026u', '9999999n']

const PLACES: Readonly<Record<string, (value: string) => InspectedRequest>> = {
  'a path': value => ({ method: 'GET', target: `/files/${value}`, headers: [], body: undefined }),
  'a query': value => ({ method: 'GET', target: `/search?note=${value}`, headers: [], body: undefined }),
  'a cookie': value => ({
    method: 'GET',
    target: '/',
    headers: ['cookie', `note=${value}`],
    body: undefined,
  }),
  'a header': value => ({ method: 'GET', target: '/', headers: ['x-note', value], body: undefined }),
  'a form': value => ({
    method: 'POST',
    target: '/',
    headers: ['content-type', 'application/x-www-form-urlencoded'],
    body: Buffer.from(`note=${value}`),
  }),
}

describe('signs that are encoded, by the code of their character', () => {
  for (const [place, requestOf] of Object.entries(PLACES)) {
    const blockedOf = (value: string): string =>
      inspect(requestOf(value), {}).verdict === 'block' ? value : ''

    test(`between a word and a number, in ${place}, are read as what they stand for`, () => {
      const wrong = ENCODED.flatMap(code =>
        BEHIND.flatMap(behind =>
          [`size%${code}${behind}`, `size%${code.toLowerCase()}${behind}`].map(blockedOf),
        ),
      )
      assert.deepEqual(wrong.filter(Boolean), [])
    })

    test(`many in a row, in ${place}, are read so as well`, () => {
      const wrong = ['20', '2C', '2D', '3D', '5F'].flatMap(code =>
        [6, 9, 24].flatMap(count =>
          [`%${code}`, `%${code.toLowerCase()}`].map(sign => blockedOf(`a${sign.repeat(count)}`)),
        ),
      )
      assert.deepEqual(wrong.filter(Boolean), [])
    })
  }
})
