import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { postern } from '../../postern/src/index.ts'
import { startBackend } from './backend.ts'
import { cli, cliProcess, startGatewayProcess } from './cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-memory-'))
after(() => rmSync(folder, { recursive: true, force: true }))

describe('dataDirectory: false', { timeout: 90_000 }, () => {
  test('a gateway protects, and writes nothing', async t => {
    const backend = await startBackend()
    t.after(() => backend.close())
    writeFileSync(join(folder, 'postern.config.yaml'), 'dataDirectory: false\n')
    const before = readdirSync(folder)
    const gateway = await startGatewayProcess(['--to', backend.url], folder)
    assert.equal((await fetch(gateway.url)).status, 200)
    assert.equal((await fetch(`${gateway.url}/?q=%3Cscript%3Ealert(1)%3C/script%3E`)).status, 403)
    assert.equal((await fetch(`${gateway.admin}/readyz`)).status, 200)
    assert.equal(await gateway.stop(), 0)
    assert.deepEqual(readdirSync(folder), before)
  })

  for (const command of [
    'ban 203.0.113.9',
    'explain 1m8ffekzpmq5g1h00003',
    'audit verify',
    'audit search',
    'report --since 1d',
    'limits show 203.0.113.9',
    'console link',
    'approvals list',
    'bouncers list',
  ])
    test(`postern ${command} says why it cannot`, async () => {
      const { code, stderr } = await cli(command.split(' '), folder)
      assert.notEqual(code, 0)
      assert.match(stderr, /^error: dataDirectory: is false, [\s\S]*hint: name a directory/)
      assert.doesNotMatch(stderr, /mistake in Postern|memory/)
    })

  for (const [given, said] of [
    ['false', /^error: --data: is a folder, not "false"\n {2}hint: write dataDirectory: false into/],
    [':memory:', /^error: --data: is a folder, not ":memory:"\n {2}hint: write dataDirectory: false into/],
    ['~/postern', /^error: --data: begins with ~, which only a shell replaces/],
    ['https://shop.example/data', /^error: --data: is an address, not a directory/],
  ] as const)
    test(`--data=${given} makes no folder of that name`, async () => {
      const before = readdirSync(folder)
      const { code, stderr } = await cli(['gateway', `--data=${given}`, '--to', 'http://127.0.0.1:1'], folder)
      assert.equal(code, 2)
      assert.match(stderr, said)
      assert.deepEqual(readdirSync(folder), before)
    })

  test('postern doctor names no directory', async () => {
    const { stdout } = await cli(['doctor'], folder)
    assert.match(stdout, /ok {3}data directory: none \(dataDirectory: false\)/)
  })

  test('several threads need a store to share', async () => {
    const { code, stderr } = await cliProcess(
      ['gateway', '--to', 'http://127.0.0.1:1', '--workers', '2'],
      folder,
    )
    assert.equal(code, 2)
    assert.match(stderr, /workers: must be 1 with dataDirectory: false/)
  })

  test('a process of the application protects too', async t => {
    const layer = await postern({ config: { dataDirectory: false }, folder })
    t.after(() => layer.close())
    assert.equal(layer.audit, undefined)
    const add = { actor: { kind: 'address', value: '203.0.113.9' }, for: '1m', reason: 'test' } as const
    assert.equal((await layer.remediations.add(add)).measure, 'block')
  })
})
