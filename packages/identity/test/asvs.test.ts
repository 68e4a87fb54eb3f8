import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const page = (name: string): string => readFileSync(join(ROOT, 'docs', name), 'utf8')
const testFile = (name: string): string => join(ROOT, 'packages/identity/test', `${name}.test.ts`)

/** How many requirements each section of ASVS 5.0.0 has: an id beyond is a mistake. */
const SECTIONS: Readonly<Record<string, number>> = {
  '6.1': 3,
  '6.2': 12,
  '6.3': 8,
  '6.4': 6,
  '6.5': 8,
  '6.6': 4,
  '6.7': 2,
  '6.8': 4,
  '7.1': 3,
  '7.2': 4,
  '7.3': 2,
  '7.4': 5,
  '7.5': 3,
  '7.6': 2,
  '8.1': 4,
  '8.2': 4,
  '8.3': 3,
  '8.4': 2,
  '9.1': 3,
  '9.2': 4,
  '10.1': 2,
  '10.2': 3,
  '10.3': 5,
  '10.4': 16,
  '10.5': 5,
  '10.6': 2,
  '10.7': 3,
}

describe('the tables of OWASP ASVS 5.0', () => {
  for (const name of ['asvs.md', 'asvs-login.md'])
    test(`docs/${name}: every id is one of the standard, and none is there twice`, () => {
      const seen = new Set<string>()
      for (const [, cell = ''] of page(name).matchAll(/^\| (\d+\.\d[^|]*) \|/gm))
        for (const [id] of cell.matchAll(/\d+\.\d+\.\d+/g)) {
          const [chapter = '', section = '', number = ''] = id.split('.')
          const most = SECTIONS[`${chapter}.${section}`]
          assert.ok(
            most === undefined ? Number(chapter) < 6 || Number(chapter) > 10 : Number(number) <= most,
            id,
          )
          assert.ok(!seen.has(id), `${id} is there twice`)
          seen.add(id)
        }
      assert.ok(seen.size > 25)
    })

  test('docs/asvs.md: every test that it names is there', () => {
    let count = 0
    for (const [, name = '', title = ''] of page('asvs.md').matchAll(/([a-z-]+): "([^"]+)"/g)) {
      const text = readFileSync(testFile(name), 'utf8')
      assert.ok(text.includes(title.replace(/ \.\.\.$/, '')), `${name}: ${title}`)
      count++
    }
    assert.ok(count > 30)
    for (const [, path = ''] of page('asvs.md').matchAll(/`((?:packages|e2e|docs)\/[\w./-]+)`/g))
      assert.ok(existsSync(join(ROOT, path)), path)
  })

  test('docs/asvs-login.md: every test that it names is there', () => {
    for (const [, name = '', words = ''] of page('asvs-login.md').matchAll(
      /`([a-z-]+)\.test\.ts`(?:: ([^;|]+))?/g,
    )) {
      const text = readFileSync(testFile(name), 'utf8').toLowerCase()
      for (const word of words.split(', '))
        assert.ok(text.includes(word.trim().toLowerCase()), `${name}: ${word}`)
    }
  })
})
