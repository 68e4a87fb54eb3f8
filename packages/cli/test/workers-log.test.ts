import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
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

/** The status of an answer, or undefined when nobody listens or the connection was cut. */
function ask(port: number, path: string, agent: Agent): Promise<number | undefined> {
  return new Promise(resolve => {
    const sent = request({ host: '127.0.0.1', port, path, method: 'POST', agent }, response => {
      response
        .on('error', () => resolve(undefined))
        .on('end', () => resolve(response.statusCode))
        .resume()
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
      // From the very first moment in which one worker listens.
      const clients = Array.from({ length: 4 }, async (_, client) => {
        while (!isOver) {
          const status = await ask(port, client % 2 === 0 ? '/after' : '/before', agent)
          if (status === 200) inRound++
          else if (status === undefined) await new Promise(resolve => setTimeout(resolve, 2))
          else assert.fail(`answered ${status}: ${output}`)
        }
      })
      const until = async (count: number): Promise<void> => {
        while (inRound < count && child.exitCode === null)
          await new Promise(resolve => setTimeout(resolve, 20))
        assert.equal(child.exitCode, null, output)
      }
      await until(200)
      child.kill('SIGHUP')
      await until(400)
      child.kill('SIGHUP')
      await until(600)
      isOver = true
      await Promise.all(clients)
      child.kill('SIGTERM')
      await ended
      answered += inRound
    }
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
