import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { importsOf, root } from '../workspace.ts'
import { readPage } from './support/page.ts'

/** The floors as the check enforces them. */
function enforced(): readonly string[] {
  const [, floors = ''] =
    /const FLOORS[^=]*= \[\n([\s\S]*?)^\]/m.exec(readPage('scripts/check-floors.ts')) ?? []
  return [...floors.matchAll(/^ {2}\[([^\]]*)\]/gm)].flatMap(([, floor = ''], number) =>
    [...floor.matchAll(/'([^']+)'/g)].map(([, name = '']) => `${number} ${name}`),
  )
}

for (const page of ['docs/architecture.md', 'CONTRIBUTING.md'])
  test(`the floors of ${page} are those that the check enforces`, () => {
    const documented = [...readPage(page).matchAll(/^\| (\d) \| (.*?) \|/gm)].flatMap(
      ([, floor, cell = '']) =>
        [...cell.matchAll(/`((?:@postern\/)?[a-z-]+)`/g)].map(([, name]) => `${floor} ${name}`),
    )
    const floors = enforced()
    assert.equal(floors.length > 15, true)
    assert.deepEqual(documented.toSorted(), floors.toSorted())
  })

/** The folders that a table of the page lists for a package, in its order. */
function listedFolders(page: string, sources: string): readonly string[] {
  const heading = `| folder of \`${sources}\` | what it holds |\n|---|---|\n`
  const [, table = ''] = page.split(heading)
  const [rows = ''] = table.split('\n\n')
  return [...rows.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([a-z-]+)`/g)].map(([, name = '']) => name),
  )
}

const page = readPage('docs/architecture.md')
const described = [...page.matchAll(/^\| folder of `(.*?)`/gm)].map(([, sources = '']) => sources)

test('eight packages have a table of their folders', () => {
  const names = ['access', 'audit', 'config', 'core', 'gateway', 'http', 'server', 'vault']
  assert.deepEqual(
    described.toSorted(),
    names.map(name => `packages/${name}/src`),
  )
})

for (const sources of described)
  test(`${sources} has the folders of its table, and each imports only from those before it`, () => {
    const listed = listedFolders(page, sources)
    const files = globSync(`${sources}/*/**/*.ts`, { cwd: root })
    const folderOf = (file: string): string => relative(sources, file).split('/')[0] ?? ''
    assert.deepEqual(listed.toSorted(), [...new Set(files.map(folderOf))].toSorted())
    const wrong = files.flatMap(file =>
      importsOf(file)
        .filter(({ specifier }) => specifier.startsWith('.'))
        .map(({ specifier }) => join(dirname(file), specifier))
        .filter(imported => listed.indexOf(folderOf(imported)) > listed.indexOf(folderOf(file)))
        .map(imported => `${file} imports ${imported}`),
    )
    assert.deepEqual(wrong, [])
  })
