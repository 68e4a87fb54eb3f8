import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { IntegrityError } from '@postern/core'
import type { NoteVerifier } from '../src/format/note.ts'
import { parseVerifierKey } from '../src/format/note-key.ts'
import { checkExport, exportTenant, openAuditLog, readAuditLog, readSigningKeys } from '../src/index.ts'
import { collect, freshDirectory, requestEvent } from './support/events.ts'

const origin = 'shop.example.com/audit'

describe('a forged export of a tenant', () => {
  let lines: readonly string[] = []
  /** The same tenant, when the log had fewer entries. */
  let earlier: readonly string[] = []
  let verifiers: readonly NoteVerifier[] = []

  before(async () => {
    const directory = freshDirectory()
    const log = await openAuditLog({ directory, origin })
    const exported = async (): Promise<readonly string[]> => {
      await log.checkpoint()
      const reader = readAuditLog(directory)
      const signers = readSigningKeys(`${directory}-keys`, origin)
      verifiers = (await reader.verifierKeys()).map(key => parseVerifierKey(key))
      return collect(exportTenant(reader, 'acme', { signers }))
    }
    for (let i = 0; i < 12; i++) await log.commit(requestEvent(i))
    earlier = await exported()
    for (let i = 12; i < 30; i++) await log.commit(requestEvent(i))
    await log.commit(requestEvent(30, { action: 'replaced \ufffd letter' }))
    lines = await exported()
    await log.close()
  })

  const refused = async (forged: readonly string[], what: string): Promise<void> => {
    await assert.rejects(checkExport(forged, verifiers), IntegrityError, what)
  }

  test('is found wherever a line is cut, doubled, moved, or taken from an earlier export', async () => {
    assert.equal((await checkExport(lines, verifiers)).isComplete, true)
    assert.equal((await checkExport(earlier, verifiers)).isComplete, true)
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i] ?? ''
      await refused(lines.toSpliced(i, 1), `line ${i} is cut`)
      await refused(lines.toSpliced(i, 0, line), `line ${i} is doubled`)
      for (const other of earlier) if (other !== line) await refused(lines.with(i, other), `line ${i}`)
      for (let to = 0; to < lines.length; to++)
        if (to !== i) await refused(lines.toSpliced(i, 1).toSpliced(to, 0, line), `line ${i} at ${to}`)
    }
    await refused([...earlier, ...lines], 'two exports')
    await refused([...earlier.slice(0, -1), ...lines.slice(1)], 'two exports as one')
    await refused([...lines.slice(0, -1), ...earlier.slice(-1)], 'the end of another')
  })

  test('is found where another reader of JSON would read something else', async () => {
    for (let i = 0; i < lines.length; i++) {
      const line = (lines[i] ?? '').trimEnd()
      const [name = ''] = Object.keys(JSON.parse(line) as object)
      // The first of two fields counts in some languages, the last in others.
      await refused(lines.with(i, line.replace('{', `{${JSON.stringify(name)}:0,`)), `line ${i}: twice`)
      await refused(lines.with(i, line.replace(/\}$/, ',"event":{"action":"forged"}}')), `line ${i}: more`)
    }
  })

  test('is found where half a letter replaces the letter that its bytes become', async () => {
    const at = lines.findIndex(line => line.includes('replaced \ufffd letter'))
    assert.ok(at > 0)
    await refused(lines.with(at, (lines[at] ?? '').replace('\ufffd', '\\ud800')), 'half a letter')
  })

  test('with a malformed number or entry is refused as an integrity error', async () => {
    const index = /"index":(\d+),"leaf"/
    for (const wrong of ['1.5', '-1', '1e400', '9007199254740993', 'null', '"2"', '[2]'])
      await refused(lines.with(2, (lines[2] ?? '').replace(index, `"index":${wrong},"leaf"`)), wrong)
    for (const leaf of ['', 'null', '5', '{', '{}'])
      await refused(lines.with(2, JSON.stringify({ index: 2, leaf, proof: [] })), leaf)
  })
})
