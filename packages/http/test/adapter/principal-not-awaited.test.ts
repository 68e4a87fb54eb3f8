import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { SOURCE_FLAGS } from '../../../../test/source-flags.ts'

const HTTP = new URL('../../src/index.ts', import.meta.url).href

interface Printed {
  readonly status: number | null
  readonly out: string
  readonly err: string
}

const ENGINE = `
import { ALLOW, Engine } from '@postern/core'
import { express, fetch as guarded, setPrincipal } from ${JSON.stringify(HTTP)}
const refusal = { effect: 'deny', guard: 'banned', status: 403, reasons: [{ rule: 'banned/principal', message: 'Banned.' }] }
const engine = new Engine({ identified: [{ name: 'banned', failure: 'closed', decide: ({ principal }) =>
  principal.kind === 'user' ? refusal : ALLOW }] })
`

/** A server that does not wait for setPrincipal, two requests of a refused client, what it printed. */
function run(handler: string): Printed {
  return printedBy(`
import { createServer } from 'node:http'
${ENGINE}
const layer = express(engine)
const server = createServer((request, response) => layer(request, response, () => { ${handler} }))
server.listen(0, '127.0.0.1', async () => {
  const url = 'http://127.0.0.1:' + server.address().port
  for (let turn = 0; turn < 2; turn++) console.log((await fetch(url)).status)
  process.exit()
})`)
}

/** The same around a fetch handler. */
function runFetch(handler: string): Printed {
  return printedBy(`
${ENGINE}
const handle = guarded(engine, async request => { ${handler} })
for (let turn = 0; turn < 2; turn++) console.log((await handle(new Request('http://shop.example/'))).status)`)
}

function printedBy(code: string): Printed {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...SOURCE_FLAGS, '--input-type=module', '-e', code],
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

test('a request that Postern does not carry does not end the process, and is warned of once', () => {
  const { status, out, err } = run(`setPrincipal({}, ${ANN}); setImmediate(() => response.end('hello'))`)
  assert.deepEqual([status, out], [0, '200\n200\n'], err)
  assert.equal(err.split('does not carry this request').length, 2, err)
})

test('who waits receives the error of a request that Postern does not carry', () => {
  const { status, out, err } = run(
    `setPrincipal({}, ${ANN}).catch(error => { response.statusCode = 500; response.end(error.code) })`,
  )
  assert.deepEqual([status, out], [0, '500\n500\n'], err)
})

test('in a fetch handler a refusal that nobody waits for is the answer, and does not end the process', () => {
  const { status, out, err } = runFetch(`setPrincipal(request, ${ANN})
    await new Promise(setImmediate)
    return new Response('hello')`)
  assert.deepEqual([status, out], [0, '403\n403\n'], err)
})

test('in a fetch handler a refusal that comes after the answer warns once', () => {
  const { status, out, err } = runFetch(`setImmediate(() => setPrincipal(request, ${ANN}))
    return new Response('hello')`)
  assert.deepEqual([status, out], [0, '200\n200\n'], err)
  assert.equal(err.split('POSTERN_NOT_AWAITED').length, 2, err)
})
