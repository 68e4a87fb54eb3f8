import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { inProcess } from './in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-usage-'))
after(() => rmSync(folder, { recursive: true, force: true }))

describe('help', () => {
  for (const line of ['help audit verify', 'audit help verify', 'audit verify --help', 'audit verify -h'])
    test(`postern ${line} is about that command`, async () => {
      const { code, stdout } = await inProcess(line.split(' '), folder)
      assert.equal(code, 0)
      assert.match(stdout, /^Usage: postern audit verify /)
    })

  for (const line of [
    'help nope',
    'nope --help',
    '--json nope -h',
    'help audit nope',
    'audit help nope',
    'audit nope --help',
  ])
    test(`postern ${line} is an error, not help on something else`, async () => {
      const { code, stderr } = await inProcess(line.split(' '), folder)
      assert.equal(code, 2)
      assert.match(stderr, /^error: unknown command 'nope'/)
    })

  test('is not taken from the command that dev starts', async () => {
    const { stdout } = await inProcess(['dev', '--help'], folder)
    assert.match(stdout, /^Usage: postern dev /)
    for (const line of ['help', '--help']) {
      const general = await inProcess([line], folder)
      assert.equal(general.code, 0)
      assert.match(general.stdout, /^Usage: postern \[options\] \[command\]/)
    }
  })
})

describe('a command line that is not understood, with --json', () => {
  const LINES: Readonly<Record<string, RegExp>> = {
    '--json nope': /^unknown command 'nope'/,
    'ban --json': /^missing required argument 'actor'/,
    'ban 10.0.0.1 --nope --json': /^unknown option '--nope'/,
    '--json version extra': /^too many arguments/,
    '--json audit': /^a command is missing$/,
  }
  for (const [line, message] of Object.entries(LINES))
    test(`postern ${line} says so in JSON too`, async () => {
      const { code, stdout } = await inProcess(line.split(' '), folder)
      assert.equal(code, 2)
      const { error } = JSON.parse(stdout) as {
        readonly error: { readonly code: string; readonly message: string; readonly exit: number }
      }
      assert.deepEqual([error.code, error.exit], ['POSTERN_USAGE', 2])
      assert.match(error.message, message)
    })
})

test('an id of an earlier release that begins with a hyphen is given behind --, and the error says so', async () => {
  for (const line of ['users disable', 'users roles', 'sessions revoke']) {
    const { code, stderr } = await inProcess([...line.split(' '), '-Ab3dEf6hIj9lMn_'], folder)
    assert.equal(code, 2)
    assert.match(stderr, /An id that begins with a hyphen\? Give it after --\./)
    const given = await inProcess([...line.split(' '), '--', '-Ab3dEf6hIj9lMn_'], folder)
    assert.doesNotMatch(given.stderr, /unknown option|begins with a hyphen/)
  }
})

describe('an error of the command line shows how the command is written', () => {
  const LINES: Readonly<Record<string, RegExp>> = {
    'gateway http://127.0.0.1:3000': /usage: postern gateway; options: --to <url>, --listen <place>/,
    'gateway --port 8080': /usage: postern gateway; options: --to <url>/,
    'limits set tenant acme': /usage: postern limits set <limit> <key> <rule>;/,
    explain: /usage: postern explain <request-id\.\.\.>; options: --apply/,
    'users add ann@example.org': /postern users has the commands list, .*import/,
  }
  for (const [line, usage] of Object.entries(LINES))
    test(`postern ${line}`, async () => {
      const { code, stderr } = await inProcess(line.split(' '), folder)
      assert.equal(code, 2)
      assert.match(stderr, usage)
      assert.doesNotMatch(stderr, /bouncers/)
    })

  test('a word of another tool is answered with the command that is meant', async () => {
    const words = { start: 'gateway', check: 'doctor', validate: 'doctor', block: 'ban', logs: 'audit tail' }
    for (const [word, meant] of Object.entries(words)) {
      const { stderr } = await inProcess([word], folder)
      assert.match(stderr, new RegExp(`Did you mean postern ${meant}\\b`), word)
    }
  })
})
