import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'

test('reading a configuration loads none of the HTTP clients of Node', () => {
  const entry = import.meta.resolve('../src/index.ts')
  const program = `
    const { loadConfig } = await import(${JSON.stringify(entry)})
    await loadConfig({ config: { limits: { address: { limit: '5/1m' } } }, folder: ${JSON.stringify(import.meta.dirname)}, environment: {} })
    console.log(process.moduleLoadList.filter(name => /deps\\/undici|internal\\/http2\\/core/.test(name)).join())`
  const child = spawnSync(process.execPath, [...SOURCE_FLAGS, '--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  assert.equal(child.status, 0, child.stderr)
  assert.equal(child.stdout.trim(), '')
})
