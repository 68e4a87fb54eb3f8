import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { CoverageRecord } from '../coverage-record.ts'

const SOURCE = `// A comment is not code.
export interface Size {
  readonly width: number
}

export function sizeOf(text: string): Size {
  if (text === '') {
    return { width: 0 }
  }
  return {
    width: text.length,
  }
}

export function never(): number {
  return 1
}
`

describe('coverage of several processes', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'postern-record-'))
    mkdirSync(join(folder, 'packages/one/src'), { recursive: true })
    writeFileSync(join(folder, 'packages/one/src/size.ts'), SOURCE)
    writeFileSync(join(folder, 'packages/one/src/types.ts'), 'export type Name = string\n')
    writeFileSync(
      join(folder, 'packages/one/src/unloaded.ts'),
      'export const one = 1\nexport const two = 2\n',
    )
  })
  after(() => rmSync(folder, { recursive: true }))

  /** What a process that calls `sizeOf` with these texts wrote. */
  function written(...texts: readonly string[]): string {
    const into = mkdtempSync(join(folder, 'written-'))
    const program = `import { sizeOf } from './packages/one/src/size.ts'; ${texts
      .map(text => `sizeOf(${JSON.stringify(text)})`)
      .join(';')}`
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: folder,
      env: { PATH: process.env['PATH'], NODE_V8_COVERAGE: into },
    })
    assert.equal(status, 0, String(stderr))
    return into
  }

  const recordOf = (...names: readonly string[]): CoverageRecord =>
    new CoverageRecord(
      folder,
      names.map(name => `packages/one/src/${name}.ts`),
    )

  test('is that of each place that one of them ran', () => {
    const record = recordOf('size')
    record.add(written('some'))
    const [alone] = record.files()
    assert.deepEqual(alone?.missed, [8, 16])
    assert.deepEqual(alone.missedBranches, [7])
    record.add(written(''))
    const [both] = record.files()
    assert.deepEqual(both?.missed, [16])
    assert.deepEqual(both.missedBranches, [])
    assert.equal(both.lines - both.linesHit, 1)
    assert.equal(both.branches, both.branchesHit)
  })

  test('counts a file that nothing loads as not run, and one without code not at all', () => {
    const record = recordOf('unloaded', 'types')
    record.add(written('some'))
    assert.deepEqual(record.files(), [
      {
        file: 'packages/one/src/unloaded.ts',
        lines: 2,
        linesHit: 0,
        branches: 1,
        branchesHit: 0,
        missed: [1, 2],
        missedBranches: [],
      },
    ])
  })

  test('ignores what a killed process left half-written', () => {
    const record = recordOf('size')
    const into = written('')
    writeFileSync(join(into, 'coverage-1-2-3.json'), '{"result":[{"url":"file:')
    record.add(into)
    assert.deepEqual(record.files()[0]?.missed, [10, 11, 16])
  })
})
