import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { ensureModules } from '../bundled-modules.ts'
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

  test('are found in a copy of the workspace, and beside what this leaves to node', () => {
    const copy = mkdtempSync(join(tmpdir(), 'postern-copy-'))
    folders.push(copy)
    const files = {
      'package.json': '{"type":"module"}',
      'scripts/start.ts': `
        import { one } from '../examples/shop/src/one.ts'
        import { two } from '../elsewhere/two.ts'
        console.log(one + two)`,
      'examples/shop/src/one.ts': `import type { Stats } from 'node:fs'; export const one: number = 1`,
      'elsewhere/two.ts': `import type { Stats } from 'node:fs'; export const two: number = 2`,
    }
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(copy, name)), { recursive: true })
      writeFileSync(join(copy, name), text)
    }
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [`--import=${HOOK}`, join(copy, 'scripts/start.ts')],
      {
        env: { PATH: process.env['PATH'] },
        encoding: 'utf8',
      },
    )
    assert.equal(stdout, '3\n', stderr)
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

  test('are left for what is published by the command line and by applications elsewhere, where that is asked for', async () => {
    await ensureModules()
    const elsewhere = mkdtempSync(join(tmpdir(), 'postern-built-'))
    folders.push(elsewhere)
    const source = (path: string): string => pathToFileURL(join(root, 'packages', path)).href
    // What a module throws names the file that it stands in.
    const application = join(elsewhere, 'application.mjs')
    const thrown = `try { parseDuration('soon') } catch (error) { console.log(error.stack) }`
    writeFileSync(application, `import { parseDuration } from '${source('core/src/index.ts')}'\n${thrown}`)
    const run = (flag: string, file: string, ...args: readonly string[]): string =>
      spawnSync(process.execPath, ['--conditions=@postern/source', `--import=${flag}`, file, ...args], {
        cwd: elsewhere,
        env: { PATH: process.env['PATH'], NODE_V8_COVERAGE: join(elsewhere, 'coverage') },
        encoding: 'utf8',
      }).stdout
    assert.match(run(`${HOOK}?built`, application), /packages\/\w+\/dist\//)
    assert.match(run(HOOK, application), /packages\/\w+\/src\//)

    const ran = (flag: string): string => {
      rmSync(join(elsewhere, 'coverage'), { recursive: true, force: true })
      run(flag, join(root, 'packages/postern/src/bin.ts'), '--version')
      const [file = ''] = globSync(join(elsewhere, 'coverage/*.json'))
      return readFileSync(file, 'utf8')
    }
    const built = ran(`${HOOK}?built`)
    assert.match(built, /packages\/cli\/dist\//)
    assert.doesNotMatch(built, /packages\/cli\/src\//)
    assert.match(ran(HOOK), /packages\/cli\/src\//)
  })
})
