import assert from 'node:assert/strict'
import { test } from 'node:test'
import { besideBackend } from './support/backend.ts'
import { type Block, blocksOf, readPage } from './support/page.ts'

/** A block as the page would have it. */
const console_ = (text: string): Block => ({ heading: '', language: 'console', file: undefined, text })

test('every command of the page on troubleshooting prints what the page shows', {
  timeout: 180_000,
}, async t => {
  const project = await besideBackend(t)
  project.write(
    'postern.config.yaml',
    'upstream: http://127.0.0.1:3000\nlisten: 8080\ntrustProxies: [loopback]\n',
  )
  await project.run([
    { heading: '', language: 'sh', file: undefined, text: 'npm install postern' },
    console_(`$ npx postern gateway
postern http://127.0.0.1:8080 -> http://127.0.0.1:3000
  reachable      from this machine only; --listen 0.0.0.0:8080 opens it to the network
  configuration  /home/ann/shop/postern.config.yaml
  mode           enforce
  data           /home/ann/shop/.postern
  admin          http://127.0.0.1:9464 (/healthz /readyz /metrics)
`),
  ])
  await project.run(blocksOf(readPage('docs/troubleshooting.md')))
})

test('the page quotes the warning about trustProxies as the gateway writes it', () => {
  const [warning] = blocksOf(readPage('docs/troubleshooting.md')).filter(
    ({ language }) => language === 'text',
  )
  const source = readPage('packages/cli/src/command/gateway.ts').replace(/' \+\n\s+'/g, '')
  assert.equal(source.includes(`'${warning?.text.trim()}'`), true)
})
