import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { loadConfig } from '@postern/config'
import { checkDescriptors } from '../src/doctor/check-descriptors.ts'

const MODULE = new URL('../src/doctor/check-descriptors.ts', import.meta.url).href

async function configured(caps: { connections?: number }, workers: number | 'auto' = 1) {
  const options = {
    config: { upstream: 'http://127.0.0.1:3000', caps, workers },
    folder: '/',
    environment: {},
  }
  return (await loadConfig(options)).config
}

test('doctor warns where the system allows fewer open files than the gateway accepts connections', async () => {
  const usual = checkDescriptors(await configured({}), 4_096)
  assert.equal(usual.state, 'warn')
  assert.match(usual.detail, /^4096 at once/)
  assert.match(usual.hint ?? '', /allow 10456 /)
  assert.equal(checkDescriptors(await configured({}), 20_000).state, 'ok')
  assert.equal(checkDescriptors(await configured({ connections: 1_000 }), 4_096).state, 'ok')
  assert.equal(checkDescriptors(await configured({}, 'auto'), 20_000, 2).state, 'warn')
  assert.equal(checkDescriptors(await configured({}), undefined).state, 'ok')
})

test('the number is the one that the system allows this process', {
  skip: process.platform === 'win32' && 'no ulimit there',
}, () => {
  const program = `import { openDescriptors } from '${MODULE}'; console.log(openDescriptors())`
  const node = [process.execPath, '--conditions=@postern/source', '--input-type=module', '-e', program]
  const quoted = node.map(part => `'${part.replaceAll("'", "'\\''")}'`).join(' ')
  assert.equal(
    execFileSync('sh', ['-c', `ulimit -n 111 && exec ${quoted}`], { encoding: 'utf8' }).trim(),
    '111',
  )
})
