import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'
import { until } from '../../../test/until.ts'

const ENTRY = fileURLToPath(new URL('support/holder-program.ts', import.meta.url))
const END_WITH_PARENT = new URL('support/end-with-parent.ts', import.meta.url).href
const folder = mkdtempSync(join(tmpdir(), 'vault-report-'))
after(() => rmSync(folder, { recursive: true }))

it('a diagnostic report of a holder does not have what unlocks it', async () => {
  const passphrase = 'correct horse battery staple'
  const path = join(folder, 'holder.json')
  const file = {
    id: 1,
    data: join(folder, 'holder.db'),
    operator: join(folder, 'operator.sock'),
    tls: { host: '127.0.0.1', port: 0 },
    peers: {},
    services: {},
  }
  writeFileSync(path, JSON.stringify(file))
  const child = spawn(
    process.execPath,
    [
      ...SOURCE_FLAGS,
      ...['--report-on-signal', '--report-signal=SIGUSR2', `--report-directory=${folder}`],
      ...['--import', END_WITH_PARENT, ENTRY, path],
    ],
    {
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { PATH: process.env['PATH'], POSTERN_HOLDER_PASSPHRASE: passphrase, VAULT_TOKEN: 'hvs.secret' },
    },
  )
  try {
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    await until(() => said.includes('ready'))
    child.kill('SIGUSR2')
    await until(() => said.includes('Node.js report completed'))
    const [name = ''] = readdirSync(folder).filter(entry => entry.startsWith('report.'))
    const report = readFileSync(join(folder, name), 'utf8')
    assert.match(report, /"javascriptStack"/)
    assert.equal(report.includes(passphrase) || report.includes('hvs.secret'), false)
  } finally {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
})
