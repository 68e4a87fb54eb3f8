import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'
import * as library from '../src/index.ts'

const PAGE = readFileSync(new URL('../../../docs/inspection.md', import.meta.url), 'utf8')

function blocksOf(language: string): readonly string[] {
  return [...PAGE.matchAll(new RegExp(`\n\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, text = '']) => text,
  )
}

/** A folder beside this file, so that imports of packages resolve. */
async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(dirname(fileURLToPath(import.meta.url)), '.docs-'))
  try {
    await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('the library in docs/inspection.md', () => {
  test('the library is called as printed, and says what is printed', async () => {
    const [call = ''] = blocksOf('ts').filter(text =>
      text.startsWith("import { inspect } from '@postern/inspect'"),
    )
    const [printed = ''] = blocksOf('text')
    await inFolder(async folder => {
      const file = join(folder, 'call.mjs')
      writeFileSync(file, call)
      const said = execFileSync(process.execPath, [...SOURCE_FLAGS, file], { encoding: 'utf8' })
      assert.equal(said, printed)
    })
  })

  test('the other code of the library imports what exists', () => {
    const inspect: Readonly<Record<string, unknown>> = library
    for (const text of blocksOf('ts'))
      for (const [, names = ''] of text.matchAll(/import \{ ([^}]*) \} from '@postern\/inspect'/g))
        for (const name of names.split(', ')) assert.equal(typeof inspect[name], 'function', name)
    for (const name of ['findLeaks', 'LeakScanner']) assert.equal(typeof inspect[name], 'function', name)
  })
})
