import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { Command } from 'commander'
import { buildProgram } from '../src/command/program.ts'
import { inProcess } from './in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-cli-typo-'))
after(() => rmSync(folder, { recursive: true, force: true }))
writeFileSync(
  join(folder, 'postern.config.json'),
  JSON.stringify({
    identity: { origin: 'http://localhost:8080' },
    limits: { tenant: { limit: '10/1m', key: 'tenant', overrides: true } },
  }),
)

/** The server itself, and what may prepare the folder before its first start. */
const MAKES = [
  /^(?:gateway|forward-auth|dev)$/,
  /^(?:bouncers add|keys (?:create|leak|revoke|rotate)|users (?:delete|disable|enable|import|roles)|sessions revoke|vault init)$/,
  // Another program's folder is their argument.
  /^holder /,
]
/** What succeeds without a data directory, for it needs none. */
const NEEDS_NONE = new Set([
  'audit check-export',
  'audit key',
  'doctor',
  'limits show',
  'schema',
  'scenarios list',
  'version',
])

/** Arguments that a command takes: it gets as far as its data directory. */
const GIVEN: Readonly<Record<string, readonly string[]>> = {
  approve: ['ap_x'],
  ban: ['192.0.2.7'],
  explain: ['0123456789abcdefghij'],
  'limits reset': ['192.0.2.7'],
  'limits set': ['tenant', 'acme', '5/1m'],
  'limits unset': ['tenant', 'acme'],
  unban: ['192.0.2.7'],
  why: ['192.0.2.7'],
}

function leaves(command: Command, path: readonly string[] = []): readonly (readonly string[])[] {
  if (command.commands.length === 0) return [path]
  return command.commands.flatMap(inner =>
    inner.name() === 'help' ? [] : leaves(inner, [...path, inner.name()]),
  )
}

describe('a mistyped --data is said, and makes no folder in which nobody looks', { timeout: 300_000 }, () => {
  for (const path of leaves(buildProgram(() => Promise.resolve(), '1.0.0'))) {
    const name = path.join(' ')
    if (MAKES.some(makes => makes.test(name))) continue
    test(name, async t => {
      t.after(() => rmSync(join(folder, 'typo'), { recursive: true, force: true }))
      const said = await inProcess(['--data', 'typo', ...path, ...(GIVEN[name] ?? [])], folder)
      assert.equal(existsSync(join(folder, 'typo')), false, `${said.stdout}${said.stderr}`)
      if (!NEEDS_NONE.has(name)) assert.notEqual(said.code, 0, said.stdout)
      if (name in GIVEN && name !== 'explain')
        assert.match(said.stderr, /--data|no gateway is running/, said.stdout)
    })
  }
})
