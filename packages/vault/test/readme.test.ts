import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'

it('the example of the README prints what it says', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const code = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? ''
  const folder = mkdtempSync(join(tmpdir(), 'vault-readme-'))
  try {
    symlinkSync(
      fileURLToPath(new URL('../../../node_modules', import.meta.url)),
      join(folder, 'node_modules'),
    )
    writeFileSync(join(folder, 'example.mts'), code)
    const printed = execFileSync(process.execPath, [...SOURCE_FLAGS, join(folder, 'example.mts')], {
      encoding: 'utf8',
    })
    assert.deepEqual(printed.trim().split('\n'), ['anne@example.com', 'POSTERN_INTEGRITY'])
    for (const line of printed.trim().split('\n')) assert.ok(readme.includes(`\`${line}\``))
  } finally {
    rmSync(folder, { recursive: true })
  }
})
