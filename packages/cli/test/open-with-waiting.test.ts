import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { lockDirectory } from '@postern/store'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'
import { cli } from './cli.ts'

const ID = '1m8atsqfac8s20s00001'
const folder = mkdtempSync(join(tmpdir(), 'postern-waiting-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** A server that is killed as soon as what it refused is durable: nothing is in the index yet. */
const KILLED = `
import { loadConfig } from '@postern/config'
import { Connections, openAudit } from '@postern/runtime'
const loaded = await loadConfig({ folder: '${folder}', config: {}, environment: {} })
const { log } = await openAudit(loaded, new Connections(loaded.config, '${folder}/.postern'))
await log.commit({
  type: 'http', time: ${Date.now()}, actor: { address: '203.0.113.9' }, decision: 'deny', guard: 'inspect',
  request: { id: '${ID}', method: 'GET', host: 'shop.example', path: '/search', query: '' },
  outcome: { status: 403, duration: 1, bytes: 1, aborted: false }, reasons: [],
})
process.kill(process.pid, 'SIGKILL')
`
const flags = [...SOURCE_FLAGS, '--input-type=module']
const { signal, stderr } = spawnSync(process.execPath, [...flags, '-e', KILLED], {
  cwd: import.meta.dirname,
  encoding: 'utf8',
})
assert.equal(signal, 'SIGKILL', stderr)

/** The folder as the killed process left it. */
function copy(name: string): string {
  const place = join(folder, name)
  cpSync(join(folder, '.postern'), join(place, '.postern'), { recursive: true })
  return place
}

describe('what a process recorded that was killed before the index had it', () => {
  for (const words of [
    ['explain', ID],
    ['audit', 'search', '--text', '/search'],
    ['why', '203.0.113.9'],
  ])
    test(`is found by ${words[0]} ${words.length > 2 ? words[1] : ''}`, async () => {
      const { stdout, stderr: said } = await cli(words, copy(words.join('-').replaceAll('/', '')))
      assert.match(stdout, /GET .*\/search/, said)
    })

  test('is said to be there while another process has the log', async () => {
    const place = copy('held')
    const lock = lockDirectory(join(place, '.postern/audit'), { name: 'audit-log' })
    try {
      const { stdout, stderr: said } = await cli(['audit', 'search'], place)
      assert.match(stdout, /nothing matches/)
      assert.match(said, /1 entry cannot be searched yet/)
    } finally {
      lock.release()
    }
  })
})
