// Each row of docs/vault-threat-model.md that says what an attacker gets names the tests that show it.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const page = readFileSync(join(root, 'docs/vault-threat-model.md'), 'utf8')
const testFiles = globSync(['packages/*/test/**/*.test.ts', 'e2e/*.test.ts'], { cwd: root })

/** The rows below the heading of a table, as cells. */
function rowsOf(section: string): readonly (readonly string[])[] {
  const [, text = ''] = page.split(`\n## ${section}\n`)
  const lines = (text.split('\n## ')[0] ?? '').split('\n').filter(line => line.startsWith('| '))
  return lines.slice(1).map(line => line.split(' | ').map(cell => cell.replace(/^\| | \|$/g, '')))
}

const codeIn = (cell: string): readonly string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)

/** Titles of tests and of their groups; what a title takes from a table is `…`, as on the page. */
function titlesOf(file: string): ReadonlySet<string> {
  const source = readFileSync(join(root, 'packages/vault/test', `${file}.test.ts`), 'utf8')
  const titles = source.matchAll(/\b(?:describe|it|test)\(\s*(['"`])((?:(?!\1)[^\\]|\\.)*)\1/g)
  return new Set(
    [...titles].map(([, , title = '']) => title.replace(/\$\{[^}]*\}/g, '…').replace(/\\(.)/g, '$1')),
  )
}

for (const [section, least] of [
  ['What an attacker opens', 9],
  ['How known attacks on similar systems fare here', 48],
] as const)
  describe(section, () => {
    const rows = rowsOf(section)
    test('has its rows', () => assert.ok(rows.length >= least, `${rows.length} rows`))
    for (const row of rows)
      test(`names tests that exist: ${row[0]}`, () => {
        const named = codeIn(row.at(-1) ?? '')
        assert.notEqual(named.length, 0, 'no test is named')
        for (const name of named) {
          const [file = '', title = ''] = name.split(/: (.*)/s)
          assert.ok(titlesOf(file).has(title), `no test of ${file} is called ${title}`)
        }
      })
  })

test('commands of the page run something', () => {
  const commands = rowsOf('Verify each claim').flatMap(row => codeIn(row.at(-1) ?? ''))
  assert.ok(commands.length >= 20)
  const benchmarks = globSync('bench/*.ts', { cwd: root }).map(file => basename(file, '.ts'))
  for (const command of commands) {
    const [, kind = '', names = ''] = /npm (?:run )?(test|e2e|bench) -- (.*)$/.exec(command) ?? []
    for (const name of names.split(' ').filter(word => !word.startsWith('--'))) {
      const runs = kind === 'bench' ? benchmarks.includes(name) : testFiles.some(file => file.includes(name))
      assert.ok(name !== '' && runs, `nothing runs with ${command}`)
    }
  }
})
