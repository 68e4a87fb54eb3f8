import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { CoverageRecord } from '../coverage-record.ts'
import type { FileCoverage } from '../coverage-table.ts'
import { root } from '../workspace.ts'

const HOOK = pathToFileURL(join(root, 'scripts/quick-sources.mjs')).href
const PROGRAM = `
  await import('@postern/store')
  const { parseDuration } = await import('${pathToFileURL(join(root, 'packages/core/src/time/duration.ts')).href}')
  parseDuration('5m')
`

const folders: string[] = []
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

/** What is counted of the sources that a program ran. */
function coverageOf(flags: readonly string[]): readonly FileCoverage[] {
  const into = mkdtempSync(join(tmpdir(), 'postern-quick-'))
  folders.push(into)
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--conditions=@postern/source', ...flags, '--input-type=module', '--eval', PROGRAM],
    { cwd: root, env: { PATH: process.env['PATH'], NODE_V8_COVERAGE: into }, encoding: 'utf8' },
  )
  assert.equal(status, 0, stderr)
  const record = new CoverageRecord(root, globSync('packages/{core,store}/src/**/*.ts', { cwd: root }).sort())
  record.add(into)
  return record.files()
}

describe('sources that are found and stripped quickly', () => {
  test('have the coverage that node finds for them, text that was kept as well', () => {
    const slow = coverageOf([])
    assert.ok(slow.filter(({ linesHit }) => linesHit > 0).length > 10)
    for (const time of ['first', 'second']) assert.deepEqual(coverageOf([`--import=${HOOK}`]), slow, time)
  })

  test('leave errors to node', () => {
    const run = (source: string): string =>
      spawnSync(process.execPath, [`--import=${HOOK}`, '--input-type=module', '--eval', source], {
        cwd: root,
        env: { PATH: process.env['PATH'] },
        encoding: 'utf8',
      }).stderr
    const absent = pathToFileURL(join(root, 'packages/core/src/absent.ts')).href
    assert.match(run(`await import('${absent}')`), /ERR_MODULE_NOT_FOUND/)
    assert.match(run(`await import('@postern/absent')`), /ERR_MODULE_NOT_FOUND/)
  })
})
