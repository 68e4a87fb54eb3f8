import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'

const DOCUMENT = fileURLToPath(new URL('../../../docs/extending.md', import.meta.url))

/** The code blocks of the page that name a file in their first line, written down as they are printed. */
function writeExamples(folder: string): readonly string[] {
  const text = readFileSync(DOCUMENT, 'utf8')
  return [...text.matchAll(/^```ts\n\/\/ ([\w.-]+)\n([\s\S]*?)^```$/gm)].map(([, name = '', code = '']) => {
    writeFileSync(join(folder, name), code)
    return name
  })
}

test('the worked example of docs/extending.md does what the page says', { timeout: 60_000 }, async () => {
  // Beside this file, so that imports of packages resolve; types are stripped
  // anywhere but below node_modules.
  const folder = mkdtempSync(join(dirname(fileURLToPath(import.meta.url)), '.docs-'))
  const workingDirectory = process.cwd()
  process.chdir(folder)
  try {
    const names = writeExamples(folder)
    rmSync(join(folder, 'postern.config.ts'))
    assert.deepEqual(names.toSorted(), [
      'coupon-detector.ts',
      'postern.config.ts',
      'quota-guard.ts',
      'server.ts',
    ])
    const { app, close } = (await import(pathToFileURL(join(folder, 'server.ts')).href)) as {
      readonly app: RequestListener
      readonly close: () => Promise<void>
    }
    const server = createServer(app).listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    const ask = async (path: string, session?: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}${path}`, {
        headers: session === undefined ? {} : { cookie: `session=${session}` },
      })
    try {
      const statuses: number[] = []
      for (let i = 0; i < 4; i++) statuses.push((await ask('/export', 's1')).status)
      assert.deepEqual(statuses, [404, 404, 404, 403])
      const refused = await ask('/export', 's1')
      assert.match(await refused.text(), /You have used the exports of today\./)
      assert.equal((await ask('/', 's1')).status, 200)
      const answers = await Promise.all(Array.from({ length: 120 }, () => ask('/', 's1')))
      assert.equal(answers.filter(({ status }) => status === 429).length > 0, true)
      assert.equal((await ask('/')).status, 200)
    } finally {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
      await close()
    }
  } finally {
    process.chdir(workingDirectory)
    rmSync(folder, { recursive: true, force: true })
  }
})
