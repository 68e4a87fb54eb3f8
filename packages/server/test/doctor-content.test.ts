import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDataDirectory } from '@postern/store'
import { checkDataDirectory } from '../src/doctor/check-data.ts'

/** What stands in a data directory, and what both its opening and the doctor say of it. */
const CONTENTS: Readonly<Record<string, readonly [file: string, text: string, says: RegExp]>> = {
  'of a later version': [
    'postern-data.json',
    '{"format":"postern-data","version":99}',
    /later version of Postern/,
  ],
  damaged: ['postern-data.json', '{"format":"postern-d', /postern-data\.json is damaged/],
  "that is another program's": ['package.json', '{}', /package\.json/],
}

for (const [what, [file, text, says]] of Object.entries(CONTENTS))
  test(`the doctor says of a directory ${what} what a start says, and changes nothing`, t => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-doctor-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    writeFileSync(join(folder, file), text)
    const found = checkDataDirectory(folder)
    assert.equal(found.state, 'bad')
    assert.match(found.detail, says)
    assert.deepEqual(readdirSync(folder), [file])
    assert.throws(() => openDataDirectory(folder), says)
  })
