import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'
import { CLI } from './cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-input-'))
after(() => rmSync(folder, { recursive: true }))

test('input that another program has not written yet is waited for, also where the pipe does not block', async () => {
  const server = createServer()
  server.listen(join(folder, 'input'))
  await once(server, 'listening')
  const input = connect(join(folder, 'input'))
  const [[writer]] = (await Promise.all([once(server, 'connection'), once(input, 'connect')])) as [
    [Socket],
    unknown,
  ]
  // Node opens sockets without waiting for them, and the child shares this one.
  const child = spawn(process.execPath, [...SOURCE_FLAGS, CLI, 'inspect', '-'], {
    cwd: folder,
    stdio: [input, 'pipe', 'pipe'],
  })
  try {
    assert.ok(child.stdout !== null && child.stderr !== null, 'its output is piped')
    let errors = ''
    let verdicts = ''
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk
    })
    child.stdout.on('data', (chunk: Buffer) => {
      verdicts += chunk
      if (verdicts.split('\n').length === 2) writer.end('{"id":"b","path":"/"}\n')
    })
    const ended = once(child, 'close') as Promise<[number | null]>
    writer.write('{"id":"a","path":"/"}\n')
    assert.deepEqual(await ended, [0, null], errors)
    assert.match(verdicts, /"a".*\n.*"b"/)
  } finally {
    child.kill('SIGKILL')
    input.destroy()
    writer.destroy()
    server.close()
  }
})

test('a working directory that was removed is named, with what to do', async () => {
  const gone = mkdtempSync(join(folder, 'gone-'))
  const child = spawn(
    'sh',
    ['-c', 'rmdir "$PWD"; exec "$@"', 'sh', process.execPath, ...SOURCE_FLAGS, CLI, 'doctor'],
    {
      cwd: gone,
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk
  })
  const [code] = (await once(child, 'close')) as [number | null]
  assert.equal(code, 2, errors)
  assert.match(errors, /^error: working directory: does not exist any more\n {2}hint: change to one/)
})
