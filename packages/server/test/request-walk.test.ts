import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, get } from 'node:http'
import { Session } from 'node:inspector/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '@postern/config'
import { serve } from '../src/serve.ts'

const PAGE = join(import.meta.dirname, '../../../docs/architecture.md')
/** Of each the least counts: timers of other parts run now and then beside a request. */
const REQUESTS = 8

/** What an allowed GET enters of the packages, with their default configuration. */
test('an allowed GET enters as many files and functions as docs/architecture.md says', async t => {
  const backend = createServer((_request, response) => response.end('hello'))
  await new Promise<void>(resolve => backend.listen(0, '127.0.0.1', resolve))
  const address = backend.address()
  assert.ok(typeof address === 'object' && address !== null)
  const folder = mkdtempSync(join(tmpdir(), 'postern-walk-'))
  writeFileSync(
    join(folder, 'postern.config.json'),
    JSON.stringify({ upstream: `http://127.0.0.1:${address.port}`, listen: 0, admin: false }),
  )
  const loaded = await loadConfig({ folder, environment: {} })
  const served = await serve({ loaded, overrides: {}, dataDirectory: join(folder, '.postern') })
  const session = new Session()
  session.connect()
  t.after(async () => {
    session.disconnect()
    await served.close()
    backend.closeAllConnections()
    backend.close()
    rmSync(folder, { recursive: true, force: true })
  })
  await session.post('Profiler.enable')
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })

  const entered = async () => {
    await session.post('Profiler.takePreciseCoverage')
    await visit(served.url)
    const { result } = await session.post('Profiler.takePreciseCoverage')
    const files = result
      .filter(({ url }) => /\/packages\/[\w-]+\/src\//.test(url))
      .map(({ functions }) => functions.filter(({ ranges }) => (ranges[0]?.count ?? 0) > 0).length)
      .filter(count => count > 0)
    return { files: files.length, functions: files.reduce((sum, count) => sum + count, 0) }
  }
  for (let i = 0; i < 3; i++) await entered()
  const counts = []
  for (let i = 0; i < REQUESTS; i++) counts.push(await entered())
  const files = Math.min(...counts.map(count => count.files))
  const functions = Math.min(...counts.map(count => count.functions))

  const [, saidFiles, saidFunctions] =
    /enters (\d+) files and (\d+) functions/.exec(readFileSync(PAGE, 'utf8')) ?? []
  t.diagnostic(`${files} files and ${functions} functions`)
  assert.ok(
    files <= Number(saidFiles) && functions <= Number(saidFunctions),
    `${files} files and ${functions} functions; docs/architecture.md says ${saidFiles} and ${saidFunctions}`,
  )
  assert.ok(
    files > Number(saidFiles) * 0.85 && functions > Number(saidFunctions) * 0.85,
    'the page is out of date',
  )
})

/** One GET, read to its end, and what it leaves to be done. */
async function visit(url: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    get(
      `${url}/products/7?sort=name`,
      { headers: { 'User-Agent': 'Mozilla/5.0', Accept: '*/*' } },
      response => {
        response.resume()
        response.once('end', resolve)
      },
    ).once('error', reject)
  })
  for (let i = 0; i < 3; i++) await new Promise(resolve => setImmediate(resolve))
}
