import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SOURCE_FLAGS } from '../../test/source-flags.ts'

const POSTERN = fileURLToPath(new URL('../postern.ts', import.meta.url))

test('npm run postern ends as the binary does when nobody reads on: `npm run postern -- explain ID | head`', async () => {
  const child = spawn(process.execPath, [...SOURCE_FLAGS, POSTERN, 'scenarios', 'list'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.destroy()
  let errors = ''
  child.stderr.on('data', chunk => {
    errors += String(chunk)
  })
  const [code] = (await once(child, 'close')) as [number | null]
  assert.equal(errors, '')
  assert.equal(code, 0)
})
