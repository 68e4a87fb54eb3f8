import assert from 'node:assert/strict'
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { loadConfig, writeException } from '../src/index.ts'

function freshFolder(): string {
  return mkdtempSync(join(tmpdir(), 'postern-config-'))
}

describe('a configuration behind a link', () => {
  test('is changed where it is, and stays behind the link', async () => {
    const folder = freshFolder()
    mkdirSync(join(folder, 'shared'))
    const target = join(folder, 'shared', 'gateway.yaml')
    writeFileSync(target, 'upstream: http://127.0.0.1:3000\n')
    const link = join(folder, 'postern.config.yaml')
    symlinkSync(join('shared', 'gateway.yaml'), link)
    const loaded = await loadConfig({ folder, environment: {} })
    await writeException(loaded, { changes: [{ at: ['remediations', 'never'], add: ['192.0.2.1'] }] }, {})
    assert.equal(lstatSync(link).isSymbolicLink(), true)
    assert.match(readFileSync(target, 'utf8'), /192\.0\.2\.1/)
  })
})

describe('a program that another one took the place of', () => {
  test('is read also when both were written at the same time', async () => {
    const folder = freshFolder()
    const path = join(folder, 'postern.config.mjs')
    const upstreamOf = async (): Promise<unknown> =>
      (await loadConfig({ path, folder, environment: {} })).written.upstream
    const write = (at: string, upstream: string): void => {
      writeFileSync(at, `export default { upstream: '${upstream}' }\n`)
      utimesSync(at, 1_700_000_000, 1_700_000_000)
    }
    write(path, 'http://127.0.0.1:3000')
    assert.equal(await upstreamOf(), 'http://127.0.0.1:3000')
    // As a rollback that keeps times does.
    write(`${path}.next`, 'http://127.0.0.1:4000')
    renameSync(`${path}.next`, path)
    assert.equal(await upstreamOf(), 'http://127.0.0.1:4000')
  })
})
