import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { services, startRedis } from '../../../test/services.ts'

const entry = JSON.stringify(new URL('../src/index.ts', import.meta.url).href)

/** An application with one request behind it, which is durable in the log. */
const SERVED = `
import { existsSync, readdirSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { postern } from ${entry}
const layer = await postern({ log: 'none' })
const server = createServer(layer.node((request, response) => response.end('hello')))
await new Promise(listening => server.listen(0, '127.0.0.1', listening))
const url = 'http://127.0.0.1:' + server.address().port + '/?q=' + encodeURIComponent('<script>alert(1)</script>')
const { status } = await fetch(url, { headers: { connection: 'close' } })
if (status !== 403) throw new Error('answered ' + status)
const until = async found => { for (let times = 0; !found() && times < 500; times++) await pause(20) }
const isDurable = () =>
  readdirSync('.postern/audit/wal').some(name => statSync('.postern/audit/wal/' + name).size > 300)
const isPublished = () => existsSync('.postern/audit/tile')
`
const ENDS: Readonly<Record<string, string>> = {
  'after the log published what it had': 'await until(isPublished)\nserver.close()',
  'while the log publishes': 'server.close()',
  'after it closed the layer': `await until(isPublished)\nserver.close()\nawait layer.close()\nconsole.log('closed')`,
}

describe('an application ends by itself', { timeout: 120_000 }, () => {
  const folders: string[] = []
  after(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  })

  function folderWith(text: string): string {
    const folder = mkdtempSync(join(tmpdir(), 'postern-end-'))
    folders.push(folder)
    writeFileSync(join(folder, 'application.mjs'), text)
    return folder
  }

  /** An application that answers one request with these stores, then `end`s. */
  const withStores = (stores: Readonly<Record<string, string>>, end: string): string => `
import { createServer } from 'node:http'
import { postern } from ${entry}
const layer = await postern({ log: 'none', config: { stores: ${JSON.stringify(stores)} } })
const server = createServer(layer.node((request, response) => response.end('hello')))
await new Promise(listening => server.listen(0, '127.0.0.1', listening))
const { status } = await fetch('http://127.0.0.1:' + server.address().port, { headers: { connection: 'close' } })
if (status !== 200) throw new Error('answered ' + status)
server.close()
${end}
console.log('end')
`

  function run(folder: string): string {
    const { stdout, stderr, status, signal } = spawnSync(
      process.execPath,
      ['--conditions=@postern/source', '--disable-warning=ExperimentalWarning', 'application.mjs'],
      { cwd: folder, encoding: 'utf8', timeout: 20_000 },
    )
    assert.equal(`${signal} ${status}`, 'null 0', stderr)
    return stdout
  }

  for (const [when, end] of Object.entries(ENDS))
    test(when, () => {
      const output = run(folderWith(SERVED + end))
      if (end.includes('closed')) assert.equal(output, 'closed\n')
    })

  test('when an earlier process left entries for the log to publish', () => {
    const folder = folderWith(`${SERVED}await until(isDurable)\nprocess.exit()`)
    run(folder)
    const opened = `import { postern } from ${entry}\nawait postern({ log: 'none' })\nconsole.log('open')`
    writeFileSync(join(folder, 'application.mjs'), opened)
    assert.equal(run(folder), 'open\n')
    writeFileSync(
      join(folder, 'application.mjs'),
      opened.replace('await', 'const layer = await').concat('\nawait layer.close()\nconsole.log("closed")'),
    )
    assert.equal(run(folder), 'open\nclosed\n')
  })

  for (const [how, end] of [
    ['by itself', ''],
    ['closed', 'await layer.close()'],
  ] as const) {
    test(`with PostgreSQL, ${how}`, async () => {
      const { postgres } = await services()
      assert.equal(run(folderWith(withStores({ postgres }, end))), 'end\n')
    })

    test(`with Redis, ${how}`, async () => {
      const { redis } = await services()
      assert.equal(run(folderWith(withStores({ redis }, end))), 'end\n')
    })

    test(`with a cluster of Redis, ${how}`, async t => {
      const node = await startRedis({ settings: ['cluster-enabled yes', 'cluster-announce-ip 127.0.0.1'] })
      t.after(() => node.stop())
      const raw = connect(node.port, '127.0.0.1')
      for (const command of [`AUTH ${new URL(node.url).password}`, 'CLUSTER ADDSLOTSRANGE 0 16383']) {
        raw.write(`${command}\r\n`)
        assert.equal(String(await once(raw, 'data')), '+OK\r\n')
      }
      raw.destroy()
      assert.equal(run(folderWith(withStores({ redis: node.url }, end))), 'end\n')
    })
  }

  test('with Redis and PostgreSQL that are away', () => {
    const stores = { redis: 'redis://127.0.0.1:1', postgres: 'postgres://postern@127.0.0.1:1/postern' }
    assert.equal(run(folderWith(withStores(stores, ''))), 'end\n')
  })

  for (const [how, end] of [
    ['by itself', ''],
    ['closed', 'await layer.close()'],
  ] as const)
    test(`with Sentinels that are away or answer nothing, ${how}`, async t => {
      const silent = createServer(socket => void socket.on('error', () => undefined)).listen(0, '127.0.0.1')
      await once(silent, 'listening')
      t.after(() => silent.close())
      const { port } = silent.address() as AddressInfo
      const redis = `redis+sentinel://127.0.0.1:1/mymaster,redis+sentinel://127.0.0.1:${port}/mymaster`
      assert.equal(run(folderWith(withStores({ redis }, end))), 'end\n')
    })
})
