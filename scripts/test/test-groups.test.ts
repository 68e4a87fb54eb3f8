import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, mock, test } from 'node:test'
import { runTestFiles } from '../run-test-files.ts'
import { groupsOf } from '../test-groups.ts'

describe('groups of test files', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'postern-groups-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  function write(path: string, ...lines: readonly string[]): string {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, lines.join('\n'))
    return path
  }

  test('are of one package, and leave out what changes the whole process, by itself or by a helper', () => {
    const plain = (path: string): string =>
      write(path, `import { one } from './support/one.ts'`, `if (process.env['ONE'] === one) throw one`)
    write('packages/a/test/support/one.ts', 'export const one = 1')
    write('packages/a/test/support/clock.ts', `import '../../../../test/clock.ts'`)
    write('test/clock.ts', `import { mock } from 'node:test'`, `mock.timers.enable()`)
    const [first, second] = ['first', 'second'].map(name => plain(`packages/a/test/${name}.test.ts`))
    const elsewhere = plain('packages/b/test/elsewhere.test.ts')
    const alone = [
      write('packages/a/test/environment.test.ts', `process.env['ONE'] = '1'`),
      write('packages/a/test/helper.test.ts', `import { late } from './support/clock.ts'`),
      write('packages/a/test/hook.test.ts', `beforeEach(() => {})`),
      write('packages/a/test/global.test.ts', `globalThis.fetch = undefined`),
      write('packages/a/test/memory.test.ts', `const { rss } = process.memoryUsage()`),
      write('scripts/test/one.test.ts', `const one = 1`),
    ]
    const files = [first ?? '', ...alone, elsewhere, second ?? '']
    assert.deepEqual(groupsOf(files, folder), [[first, second], ...alone.map(file => [file]), [elsewhere]])
  })

  test('have a size that is bounded', () => {
    const files = Array.from({ length: 25 }, (_, at) => write(`packages/c/test/${at}.test.ts`, ''))
    const groups = groupsOf(files, folder)
    assert.deepEqual(groups.flat(), files)
    assert.deepEqual(
      groups.map(group => group.length),
      [10, 10, 5],
    )
  })

  test('are run apart when they fail together, and say so', async t => {
    const lines = [`import assert from 'node:assert/strict'`, `import { test } from 'node:test'`]
    const files = ['one', 'two'].map(name =>
      join(
        folder,
        write(
          `${name}.test.mjs`,
          ...lines,
          `test('${name}', () => assert.equal((globalThis.seen = (globalThis.seen ?? 0) + 1), 1))`,
        ),
      ),
    )
    const said: string[] = []
    const log = mock.method(console, 'log', (line: string) => void said.push(line))
    t.after(() => log.mock.restore())
    const code = await runTestFiles([files], { env: {}, limit: 60_000, lanes: 1 })
    log.mock.restore()
    assert.equal(code, 0, said.join('\n'))
    assert.match(
      said.join('\n'),
      /unsteady: \S+one\.test\.mjs, \S+two\.test\.mjs failed together, and passed when each was run alone/,
    )
    assert.match(said.join('\n'), /ℹ pass 2\nℹ fail 0/)
  })
})
