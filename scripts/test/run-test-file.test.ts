import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type FileResult, runTestFile } from '../run-test-file.ts'

const IMPORTS = [`import assert from 'node:assert/strict'`, `import { test } from 'node:test'`]

describe('a test file', { concurrency: true }, () => {
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postern-run-'))
  })
  after(() => rm(folder, { recursive: true }))

  async function resultOf(name: string, limit: number, ...lines: readonly string[]): Promise<FileResult> {
    const file = join(folder, `${name}.test.mjs`)
    await writeFile(file, [...IMPORTS, ...lines, ''].join('\n'))
    return await runTestFile([file], { env: {}, limit })
  }

  test('that ends says what it counted, and each skipped test with its reason', async () => {
    const { ok, report } = await resultOf(
      'good',
      60_000,
      `test('one', () => assert.ok(1))`,
      `test('two', { skip: 'no Go here' }, () => {})`,
    )
    assert.equal(ok, true)
    assert.ok(report !== undefined)
    const { processor, ...counts } = report
    const skipped = [{ file: join(folder, 'good.test.mjs'), name: 'two: no Go here' }]
    assert.deepEqual(counts, { passed: 1, failed: 0, skipped })
    assert.ok(processor > 0)
  })

  test('says how much processor time it took, with that of what it started', async () => {
    const child = `for (let i = 0; i < 3e8; i++); const { user, system } = process.cpuUsage(); console.log(user + system)`
    const { report, output } = await resultOf(
      'processor',
      60_000,
      `import { execFileSync } from 'node:child_process'`,
      `const used = execFileSync(process.execPath, ['--eval', ${JSON.stringify(child)}], { encoding: 'utf8' })`,
      `test('one', () => assert.ok(Number(used) > 0, console.log('used ' + used)))`,
    )
    const [, used = ''] = /used (\d+)/.exec(output) ?? []
    assert.ok(Number(used) > 0, output)
    // Of processes that ended, the system counts hundredths of a second.
    assert.ok((report?.processor ?? 0) > Number(used) / 1_000_000 - 0.02, output)
  })

  test('in which a test ran no assertion has failed, unless the test says why it was skipped', async () => {
    const { ok, report, output } = await resultOf(
      'empty',
      60_000,
      `test('one', () => { for (const item of []) assert.ok(item) })`,
      `test('two', t => t.skip('no Go here'))`,
      `test('three', async t => { await t.test('inner', () => assert.ok(1)) })`,
    )
    assert.equal(ok, false)
    assert.equal(report?.passed, 2)
    assert.equal(report.failed, 1)
    assert.deepEqual(
      report.skipped.map(({ name }) => name),
      ['two: no Go here'],
    )
    assert.match(output, /✖ one[\s\S]*no assertion ran in this test/)
  })

  test('shares a process with others when it may: they count together, each test by its own assertions', async () => {
    const files = ['first', 'second'].map(name => join(folder, `${name}.test.mjs`))
    const one = [
      ...IMPORTS,
      `globalThis.pids ??= []`,
      `test('one', () => assert.equal(new Set(globalThis.pids.concat(process.pid)).size, 1))`,
      `globalThis.pids.push(process.pid)`,
    ]
    const [first = '', second = ''] = files
    await writeFile(first, [...one, `test('two', { skip: 'no Go here' }, () => {})`].join('\n'))
    await writeFile(second, [...one, `test('three', () => {})`].join('\n'))
    const { ok, report, output } = await runTestFile(files, { env: {}, limit: 60_000 })
    assert.equal(ok, false)
    assert.equal(report?.passed, 2, output)
    assert.equal(report.failed, 1)
    assert.deepEqual(report.skipped, [{ file: first, name: 'two: no Go here' }])
    assert.match(output, /✖ three[\s\S]*no assertion ran in this test/)
  })

  test('reports where it was asked to, and not where the test reports that started it', async () => {
    const { ok, output } = await resultOf(
      'flags',
      60_000,
      `test('one', () => assert.ok(console.log(process.execArgv.join('\\n')) === undefined))`,
    )
    assert.equal(ok, true, output)
    const flags = output.split('\n')
    const own = process.execArgv.filter(flag => /^--(?:test-reporter-destination|report-dir)=\//.test(flag))
    assert.equal(own.length, 2)
    assert.deepEqual(
      own.filter(flag => flags.includes(flag)),
      [],
    )
    assert.equal(output.match(/^--test-reporter-destination=\//gm)?.length, 1, output)
  })

  test('leaves nothing in its folder for temporary files, which is short enough for sockets', async () => {
    const { ok, output } = await resultOf(
      'temporary',
      60_000,
      `import { mkdtempSync, writeFileSync } from 'node:fs'`,
      `import { tmpdir } from 'node:os'`,
      `const left = mkdtempSync(tmpdir() + '/postern-left-')`,
      `writeFileSync(left + '/file', '')`,
      `test('one', () => assert.ok(console.log('left ' + left) === undefined))`,
    )
    assert.equal(ok, true)
    const [, left = ''] = /left (.*)/.exec(output) ?? []
    const [temporary = ''] = left.split('/postern-left-')
    assert.match(left, /\/postern-left-\w{6}$/)
    assert.equal(existsSync(left), false)
    assert.equal(existsSync(temporary), false)
    assert.ok(Buffer.byteLength(temporary) <= 40, temporary)
  })

  test('whose coverage is counted has quick sources in each process that inherits its environment', async () => {
    const file = join(folder, 'child.test.mjs')
    const child = `console.log(process.env.NODE_OPTIONS, process.env.NODE_V8_COVERAGE)`
    await writeFile(
      file,
      [
        ...IMPORTS,
        `import { execFileSync } from 'node:child_process'`,
        `const said = execFileSync(process.execPath, ['--eval', ${JSON.stringify(child)}], { encoding: 'utf8' })`,
        `test('one', () => assert.match(said, /--import=\\S+quick-sources\\.mjs \\//))`,
      ].join('\n'),
    )
    const { ok, output } = await runTestFile([file], { env: {}, limit: 60_000, coverage: () => undefined })
    assert.equal(ok, true, output)
  })

  test('that fails shows why', async () => {
    const { ok, report, output } = await resultOf(
      'bad',
      60_000,
      `test('one', () => { throw new Error('so') })`,
    )
    assert.equal(ok, false)
    assert.equal(report?.failed, 1)
    assert.match(output, /Error: so/)
  })

  test('that runs no test at all, or fails outside its tests, has failed', async () => {
    const results = [
      await resultOf('none', 60_000),
      await resultOf('broken', 60_000, `import './nowhere.mjs'`),
      await resultOf(
        'outside',
        60_000,
        `test('one', () => assert.ok(1))`,
        `setTimeout(() => { throw new Error('late') }, 1)`,
      ),
    ]
    assert.deepEqual(
      results.map(({ ok }) => ok),
      [false, false, false],
    )
  })

  test('that left a server open is stopped at its limit, and names the port', async () => {
    const { ok, output } = await resultOf(
      'leak',
      10_000,
      `import { createServer } from 'node:http'`,
      `test('one', () => { assert.ok(createServer().listen(0, '127.0.0.1')) })`,
    )
    assert.equal(ok, false)
    assert.match(output, /did not end within 10 seconds; it waits for: tcp port \d+/)
  })

  test('that waits forever in one test still runs the others', async () => {
    const { ok, output, report } = await resultOf(
      'never',
      10_000,
      `test('one', () => new Promise(resolve => { setTimeout(resolve, 3_600_000).ref() }))`,
      `test('two', () => assert.ok(1))`,
    )
    assert.equal(ok, false)
    assert.match(output, /✖ one/)
    assert.match(output, /✔ two/)
    assert.equal(report, undefined)
  })

  test('that blocks in a call is stopped, and so is what it started', async () => {
    const { ok, output } = await resultOf(
      'block',
      10_000,
      `import { spawnSync } from 'node:child_process'`,
      `test('one', () => { spawnSync('sleep', ['600']) })`,
    )
    assert.equal(ok, false)
    assert.match(output, /a call that blocks/)
  })
})
