// A first start that is killed leaves a file of SQLite that is made and has no tables yet. The next goes on.
import assert from 'node:assert/strict'
import { cpSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { postern } from 'postern'

const folder = mkdtempSync(join(tmpdir(), 'postern-killed-'))
const whole = join(folder, 'whole')
after(() => rmSync(folder, { recursive: true }))

async function starts(dataDirectory: string): Promise<void> {
  const layer = await postern({
    config: { dataDirectory, identity: { origin: 'http://localhost:3000' }, approvals: {} },
  })
  const handle = layer.fetch(() => new Response('hello'), { peer: () => '203.0.113.9' })
  try {
    assert.equal((await handle(new Request('http://localhost:3000/'))).status, 200)
  } finally {
    await layer.close()
  }
}

before(() => starts(whole))

test('a start goes on where the first was killed, whichever file had no tables yet', async () => {
  const files = globSync('**/*.db', { cwd: whole })
  assert.ok(files.includes('audit-keys/subjects.db') && files.includes('postern.db'), files.join())
  for (const file of files) {
    const copy = join(folder, 'copy')
    cpSync(whole, copy, { recursive: true })
    for (const old of globSync(`${file}*`, { cwd: copy })) rmSync(join(copy, old))
    writeFileSync(join(copy, file), '')
    await assert.doesNotReject(starts(copy), file)
    await starts(copy)
    rmSync(copy, { recursive: true })
  }
})
