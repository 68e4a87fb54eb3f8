import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openSqlite } from '@postern/store'
import { DEFAULT_BUDGETS, parseHolderConfig } from '@postern/vault/holder'
import { readVaultFile } from '@postern/vault/setup'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'
import { serveCommands } from './support/command-server.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
/** Two pages, of which the second goes on where the first stops. */
const page = ['vault', 'vault-holders']
  .map(name => readFileSync(join(root, `docs/${name}.md`), 'utf8'))
  .join('\n')
const folder = mkdtempSync(join(tmpdir(), 'vault-docs-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Blocks of the pages that are run, in order. */
const blocks = [...page.matchAll(/^```(sh|ts|json vault\.json)\n(.*?)^```$/gms)].map(
  ([, kind = '', text = '']) => ({ kind, text }),
)

/** Ports of the page are `947` and the number of the holder. */
const PAGE_PORTS = /\b947(?=\$n|\$peer|2\b)/g

/**
 * What replaces `947`, so that the three ports of this run are free. They lie below those that the system
 * gives to outgoing connections, which could take them before the holders do.
 */
async function freePorts(): Promise<string> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const base = randomInt(1_100, 3_200)
    const isFree = await Promise.all([1, 2, 3].map(n => canListen(base * 10 + n)))
    if (!isFree.includes(false)) return `${base}`
  }
  throw new Error('no three free ports in a row')
}

function canListen(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = createSocket()
    socket.once('error', () => resolve(false))
    socket.listen(port, '127.0.0.1', () => socket.close(() => resolve(true)))
  })
}

/** What the page shows below each block of TypeScript. */
const SHOWN = [...page.matchAll(/^```ts\n.*?^```\n\n```text\n(.*?)^```$/gms)].map(([, text = '']) => text)

/** Writes the row that becomes a canary. */
const CANARY = `
import { openVault, VaultSql } from '@postern/vault'
import { openVaultDatabase } from '@postern/vault/setup'
const opened = await openVault('vault.json')
const database = await openVaultDatabase(opened.file)
await new VaultSql(database.client, opened.vault).insert('customers', [{ id: 666, email: 'dan@example.com' }])
await database.close()
opened.close()
`

/** Tokens are random. */
const withoutTokens = (text: string): string => text.replaceAll(/person-[0-9a-f]{12}@/g, 'person-TOKEN@')

/** A stand-in of the transit engine that wraps a key and unwraps it again. */
async function transitStandIn() {
  let wrapped = 0
  let plaintext = ''
  const server = createServer((request, response) => {
    const operation = /^\/v1\/transit\/(encrypt|decrypt)\/holder-1$/.exec(request.url ?? '')?.[1]
    const isAllowed = request.headers['x-vault-token'] === 't' && operation !== undefined
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      body += chunk
    })
    request.once('end', () => {
      response.statusCode = isAllowed ? 200 : 403
      if (isAllowed && operation === 'encrypt') {
        wrapped++
        plaintext = String((JSON.parse(body) as { readonly plaintext: string }).plaintext)
      }
      const data = operation === 'encrypt' ? { ciphertext: 'vault:v1:wrapped' } : { plaintext }
      response.end(JSON.stringify({ data }))
    })
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { address: `http://127.0.0.1:${port}`, wrapped: () => wrapped, close: () => server.close() }
}

describe('docs/vault.md and docs/vault-holders.md', () => {
  test('do what they say, every command and every line of code as printed', {
    timeout: 285_000,
  }, async () => {
    const bin = join(folder, 'bin')
    mkdirSync(bin)
    const node = `exec '${process.execPath}' ${SOURCE_FLAGS.join(' ')} --disable-warning=ExperimentalWarning`
    writeFileSync(join(bin, 'run-ts'), `#!/bin/sh\n${node} "$@"\n`, { mode: 0o755 })
    const work = join(folder, 'work')
    mkdirSync(work)
    symlinkSync(join(root, 'node_modules'), join(work, 'node_modules'))
    const database = openSqlite({ path: join(work, 'shop.db') })
    database.db.exec(/^```sql\n(.*?)^```$/ms.exec(page)?.[1] ?? '')
    database.close()
    const ports = await freePorts()
    // "Write a row with a plausible value through the vault, here the row 666."
    writeFileSync(join(work, 'canary.mts'), CANARY)
    let script = 'set -e\n'
    let number = 0
    for (const { kind, text } of blocks) {
      if (kind === 'sh') {
        if (text.startsWith('postern vault canary')) script += 'run-ts canary.mts\n'
        script += `${text.replace(PAGE_PORTS, ports)}\n`
      } else if (kind === 'ts') {
        writeFileSync(join(work, `block-${number}.mts`), text)
        script += `run-ts block-${number}.mts > out-${number++}\n`
      } else script += `cat > vault.json <<'END'\n${text}END\n`
    }
    const transit = await transitStandIn()
    const environment = {
      PATH: `${bin}:${process.env['PATH']}`,
      DATABASE_URL: 'shop.db',
      HOME: work,
      NODE_COMPILE_CACHE: join(folder, 'compiled'),
      VAULT_ADDR: transit.address,
      VAULT_TOKEN: 't',
    }
    // Sixty commands as processes of their own took minutes on a busy machine.
    const commands = await serveCommands({
      bin,
      cwd: work,
      environment,
      process: `${node} '${join(root, 'packages/postern/src/bin.ts')}'`,
    })
    const child = spawn('sh', ['-c', script], {
      cwd: work,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that the holders it starts end with it.
      detached: true,
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    const ended = new Promise(resolve => child.once('close', resolve))
    // What the page waits for never comes where a holder could not start.
    const late = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), 270_000)
    const code = await new Promise(resolve => child.once('exit', resolve))
    clearTimeout(late)
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM')
    } catch {
      // Nothing of the group is left.
    }
    await ended
    transit.close()
    commands.close()
    output += commands.errors()
    assert.equal(code, 0, output)
    assert.equal(transit.wrapped(), 1)
    assert.ok(!existsSync(join(work, 'h4/holder.key')))
    assert.equal(number, 5)
    assert.equal(SHOWN.length, number)
    for (const [index, text] of SHOWN.entries())
      assert.equal(withoutTokens(readFileSync(join(work, `out-${index}`), 'utf8')), withoutTokens(text))
    assert.match(output, /2 rows looked at, 2 values rewritten|3 rows looked at, 2 values rewritten/)
    assert.match(output, /holder 3 {2}up/)
    assert.match(output, /vault: trust domains: 1; holders 1 and 2 are on one machine/)
    assert.match(output, /50 records through the holders: \d/)
    assert.match(output, /epoch 1 seals from now on/)
    assert.match(output, /3 rows looked at, 3 values rewritten/)
    assert.match(output, /0 of 4 values opened/)
    const sealed = openSqlite({ path: join(work, 'shop.db') })
    for (const { email } of sealed.db.prepare('SELECT email FROM customers').all())
      assert.match(String(email), /^pv1\./)
    sealed.close()
  })

  test('show settings that vault.json and holder.json take', () => {
    const settings = [...page.matchAll(/^```json\n(.*?)^```$/gms)].map(([, text = '']) => text)
    assert.equal(settings.length, 3)
    for (const text of settings) {
      const value: unknown = JSON.parse(text)
      if (text.includes('"budgets"')) {
        const holder = { id: 1, data: 'holder.db', operator: 'operator.sock', services: {}, peers: {} }
        const config = parseHolderConfig({ ...holder, ...(value as object) }, 'holder.json')
        assert.deepEqual(config.policy.budgets, DEFAULT_BUDGETS)
      } else {
        const path = join(folder, 'settings.json')
        writeFileSync(path, JSON.stringify({ tables: { customers: { key: ['id'], columns: value } } }))
        assert.deepEqual(
          Object.keys(readVaultFile(path, {}).tables['customers']?.columns ?? {}),
          Object.keys(value as object),
        )
      }
    }
  })
})
