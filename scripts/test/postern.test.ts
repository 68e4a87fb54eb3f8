import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const POSTERN = fileURLToPath(new URL('../postern.ts', import.meta.url))

test('npm run postern ends as the binary does when nobody reads on: `npm run postern -- explain ID | head`', async () => {
  const execArgv = process.execArgv.filter(argument => !argument.startsWith('--test'))
  const child = spawn(process.execPath, [...execArgv, POSTERN, 'scenarios', 'list'], {
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
