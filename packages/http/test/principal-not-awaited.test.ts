import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'

const HTTP = new URL('../src/index.ts', import.meta.url).href

/** A server that does not wait for setPrincipal, two requests of a refused client, what it printed. */
function run(handler: string): {
  readonly status: number | null
  readonly out: string
  readonly err: string
} {
  const code = `
import { createServer } from 'node:http'
import { ALLOW, Engine } from '@postern/core'
import { express, setPrincipal } from ${JSON.stringify(HTTP)}
const refusal = { effect: 'deny', guard: 'banned', status: 403, reasons: [{ rule: 'banned/principal', message: 'Banned.' }] }
const engine = new Engine({ identified: [{ name: 'banned', failure: 'closed', decide: ({ principal }) =>
  principal.kind === 'user' ? refusal : ALLOW }] })
const layer = express(engine)
const server = createServer((request, response) => layer(request, response, () => { ${handler} }))
server.listen(0, '127.0.0.1', async () => {
  const url = 'http://127.0.0.1:' + server.address().port
  for (let turn = 0; turn < 2; turn++) console.log((await fetch(url)).status)
  process.exit()
})`
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...process.execArgv, '--input-type=module', '-e', code],
    { encoding: 'utf8', timeout: 60_000, cwd: import.meta.dirname },
  )
  return { status, out: stdout, err: stderr }
}

const ANN = "{ kind: 'user', id: 'ann' }"

test('a refusal that the application does not wait for is sent, and does not end the process', () => {
  const { status, out, err } = run(`setPrincipal(request, ${ANN}); setImmediate(() => response.end('hello'))`)
  assert.deepEqual([status, out], [0, '403\n403\n'], err)
})

test('refusals that come after the answer warn once, and say what to write', () => {
  const { status, out, err } = run(`setPrincipal(request, ${ANN}); response.end('hello')`)
  assert.deepEqual([status, out], [0, '200\n200\n'], err)
  assert.match(err, /POSTERN_NOT_AWAITED.*write await setPrincipal/)
  assert.equal(err.split('POSTERN_NOT_AWAITED').length, 2, err)
})

test('a request that Postern does not carry stays an error that nobody can miss', () => {
  const { status, err } = run(`setPrincipal({}, ${ANN}); setImmediate(() => response.end('hello'))`)
  assert.notEqual(status, 0)
  assert.match(err, /does not carry this request/)
})
