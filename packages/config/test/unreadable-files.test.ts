import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { ConfigError } from '@postern/core'
import { fileVersion, followFile, loadConfig } from '../src/index.ts'

function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-unreadable-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function mistakeIn(folder: string): Promise<string> {
  try {
    await loadConfig({ folder, environment: {} })
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    for (const { hint = '' } of error.issues) assert.notEqual(hint, '')
    return error.issues.map(({ place, problem }) => `${place}: ${problem}`).join('\n')
  }
  return 'none'
}

const TEXT = 'mode: observe\nlimits:\n  address: 5/1m # caf\u00E9\n'
const YAML = 'postern.config.yaml'

type Make = (path: string) => void

const FILES: Readonly<Record<string, readonly [name: string, make: Make, says: RegExp]>> = {
  'UTF-16 with a byte order mark': [
    YAML,
    path => writeFileSync(path, Buffer.from(`\uFEFF${TEXT}`, 'utf16le')),
    /^postern\.config\.yaml: is UTF-16/,
  ],
  'UTF-16, big endian, with a byte order mark': [
    YAML,
    path => writeFileSync(path, Buffer.from(`\uFEFF${TEXT}`, 'utf16le').swap16()),
    /: is UTF-16/,
  ],
  'UTF-16 without a mark': [YAML, path => writeFileSync(path, Buffer.from(TEXT, 'utf16le')), /: is UTF-16/],
  'UTF-16 in JSON': [
    'postern.config.json',
    path => writeFileSync(path, Buffer.from('{"mode":"observe"}', 'utf16le')),
    /^postern\.config\.json: is UTF-16/,
  ],
  Latin1: [
    YAML,
    path => writeFileSync(path, Buffer.from(TEXT, 'latin1')),
    /^postern\.config\.yaml:3: holds bytes that are not UTF-8$/,
  ],
  'too many brackets': [
    YAML,
    path => writeFileSync(path, `mode: ${'['.repeat(20_000)}`),
    /postern\.config\.yaml:1:\d+: is nested too deeply$/,
  ],
  'a folder': [YAML, path => mkdirSync(path), /postern\.config\.yaml: is a folder$/],
  'a pipe': [
    YAML,
    path => execFileSync('mkfifo', [path]),
    /postern\.config\.yaml: is a pipe or a device, not a file$/,
  ],
  'a link to nothing': [
    YAML,
    path => symlinkSync('/nowhere/shop.yaml', path),
    /: is a link to \/nowhere\/shop\.yaml, which is not there$/,
  ],
  'a link to itself': [YAML, path => symlinkSync(path, path), /: is a link that leads back to itself$/],
  'a function': [
    'postern.config.mjs',
    path => writeFileSync(path, "export default () => ({ mode: 'observe' })\n"),
    /^postern\.config\.mjs: exports a function$/,
  ],
}

describe('a configuration file that cannot be read is said in one line', () => {
  for (const [what, [name, make, says]] of Object.entries(FILES))
    test(what, async t => {
      const folder = newFolder(t)
      make(join(folder, name))
      assert.match(await mistakeIn(folder), says)
    })

  test('a module that never finishes loading', async t => {
    const folder = newFolder(t)
    writeFileSync(join(folder, 'postern.config.mjs'), 'await new Promise(() => {})\nexport default {}\n')
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const mistake = mistakeIn(folder)
    t.mock.timers.tick(30_000)
    assert.match(await mistake, /^postern\.config\.mjs: await: has not finished loading after 30 seconds$/)
  })
})

test('a server that follows a file goes on when its path leads nowhere any more', t => {
  const folder = newFolder(t)
  const path = join(folder, YAML)
  symlinkSync(path, path)
  assert.equal(fileVersion(path), undefined)
  t.mock.timers.enable({ apis: ['setInterval'] })
  const end = followFile(path, 'another', () => assert.fail('nothing is there'))
  t.after(end)
  t.mock.timers.tick(2_000)
})
