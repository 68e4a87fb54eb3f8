import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../../../test/until.ts'
import { startBackend } from './backend.ts'
import { cli, startCli } from './cli.ts'

interface Entry {
  readonly event: { readonly outcome?: unknown; readonly request: { readonly path: string } }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

/** Status and text of an answer, or undefined when nobody listens or the connection was cut. */
function ask(port: number, path: string, agent: Agent): Promise<string | undefined> {
  return new Promise(resolve => {
    const sent = request({ host: '127.0.0.1', port, path, method: 'POST', agent }, response => {
      let text = ''
      response
        .on('error', () => resolve(undefined))
        .on('data', (chunk: Buffer) => {
          text += chunk.toString()
        })
        .on('end', () => resolve(`${response.statusCode} ${text}`))
    })
    sent.on('error', () => resolve(undefined)).end()
  })
}

test('with two workers every answered request is in the log, over starts, reloads and reloads under traffic', {
  timeout: 240_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-workers-log-'))
  const port = await freePort()
  const backend = await startBackend()
  writeFileSync(
    join(folder, 'postern.config.yaml'),
    `upstream: ${backend.url}
listen: 127.0.0.1:${port}
admin: false
workers: 2
limits: { address: 1000000/1m, busy: false }
routes: { 'POST /before': { record: before } }
`,
  )
  let answered = 0
  try {
    for (let round = 0; round < 3; round++) {
      const child = startCli(['gateway'], folder)
      let output = ''
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString()
      })
      child.stderr.on('data', (chunk: Buffer) => {
        output += chunk.toString()
      })
      const ended = new Promise(resolve => child.once('close', resolve))
      const agent = new Agent({ keepAlive: false })
      let isOver = false
      let inRound = 0
      const unexpected: string[] = []
      // From the very first moment in which one worker listens.
      const clients = Array.from({ length: 4 }, async (_, client) => {
        while (!isOver) {
          const answer = await ask(port, client % 2 === 0 ? '/after' : '/before', agent)
          if (answer?.startsWith('200 ')) inRound++
          else if (answer !== undefined) unexpected.push(answer)
          else await new Promise(resolve => setTimeout(resolve, 2))
        }
      })
      const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null
      const reached = (count: number): Promise<void> =>
        until(() => inRound >= count || hasEnded() || unexpected.length > 0)
      try {
        await reached(200)
        child.kill('SIGHUP')
        await reached(400)
        child.kill('SIGHUP')
        await reached(600)
        assert.equal(hasEnded(), false, output)
      } finally {
        isOver = true
        await Promise.all(clients)
        child.kill('SIGTERM')
        await ended
      }
      assert.deepEqual(unexpected, [], output)
      answered += inRound
    }
    assert.ok(answered >= 1_800)
    const { stdout } = await cli(['audit', 'search', '--json', '--type', 'http', '--limit', '100000'], folder)
    const entries = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Entry)
    const ends = entries.filter(({ event }) => event.outcome !== undefined)
    assert.equal(ends.length, answered)
    const begins = entries.filter(({ event }) => event.outcome === undefined)
    assert.equal(begins.length, ends.filter(({ event }) => event.request.path === '/before').length)
  } finally {
    await backend.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
