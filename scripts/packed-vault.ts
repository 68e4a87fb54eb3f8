import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { root } from './workspace.ts'

/** The part of docs/vault.md up to a running application with three holders. */
const UNTIL = '\n## Unlock a holder with a passphrase'
const BLOCK = /^```(sh|ts|json vault\.json)\n(.*?)^```$/gms
/** Ports of the page are `947` and the number of the holder. */
const PAGE_PORT = /\b947(?=\$n|\$peer)/g
const PATIENCE_MS = 240_000

/** The same program for a column in mode split, with a row of its own. */
const SPLIT = `
sed 's/"mode": "local"/"mode": "split"/' vault.json > split.json
sed -e 's/vault.json/split.json/' -e 's/id: 3/id: 4/' -e 's/id = 3/id = 4/' -e 's/carol/dan/' use.ts > split.ts
node split.ts
`

/**
 * Follows docs/vault.md, as printed, with the packages that a folder has installed: a table with rows in
 * SQLite, one column with a key file, the rows that are there, three holders, and the column in mode split.
 * @throws Error with what was printed, when a command fails or a value stays plain
 */
export async function tryVault(project: string, env: Readonly<Record<string, string>>): Promise<void> {
  const folder = join(project, 'vault')
  mkdirSync(folder)
  const database = new DatabaseSync(join(folder, 'shop.db'))
  database.exec(`
    CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT);
    INSERT INTO customers VALUES (1, 'anne@example.com'), (2, 'bob@example.com')`)
  database.close()
  const page = readFileSync(join(root, 'docs/vault.md'), 'utf8').split(UNTIL, 1).join('')
  const ports = await freePorts()
  let script = 'set -e\n'
  for (const [, kind = '', text = ''] of page.matchAll(BLOCK)) {
    if (kind === 'sh') script += `${text.replace(PAGE_PORT, ports)}\n`
    else if (kind === 'ts') {
      writeFileSync(join(folder, 'use.ts'), text)
      script += 'node use.ts\n'
    } else script += `cat > vault.json <<'END'\n${text}END\n`
  }
  const printed = await finished(folder, script + SPLIT, {
    ...env,
    DATABASE_URL: 'shop.db',
    PATH: `${join(project, 'node_modules', '.bin')}:${env['PATH']}`,
  })
  for (const expected of ['carol@example.com', 'dan@example.com', 'holder 3  up', '2 values rewritten'])
    if (!printed.includes(expected)) throw new Error(`docs/vault.md did not print "${expected}":\n${printed}`)
  const sealed = new DatabaseSync(join(folder, 'shop.db'))
  const rows = sealed.prepare('SELECT email FROM customers').all()
  sealed.close()
  if (rows.length !== 4 || !rows.every(({ email }) => String(email).startsWith('pv1.')))
    throw new Error(`docs/vault.md left ${rows.length} rows, not all of them sealed:\n${printed}`)
}

/** What a script printed. Whatever it started ends with it. */
async function finished(cwd: string, script: string, env: Readonly<Record<string, string>>): Promise<string> {
  const child = spawn('sh', ['-c', script], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
    })
  const end = (signal: NodeJS.Signals): void => {
    try {
      process.kill(-(child.pid ?? 0), signal)
    } catch {
      // Nothing of the group is left.
    }
  }
  const late = setTimeout(() => end('SIGKILL'), PATIENCE_MS)
  const closed = once(child, 'close')
  const [code] = (await once(child, 'exit')) as [number | null]
  clearTimeout(late)
  end('SIGTERM')
  await closed
  if (code === 0) return printed
  throw new Error(`docs/vault.md: a command ended with ${code}:\n${printed}`)
}

/**
 * What replaces `947`, so that the three ports of this run are free. They lie below those that the system
 * gives to outgoing connections.
 */
async function freePorts(): Promise<string> {
  for (let base = 1_100 + (process.pid % 2_000); base < 3_200; base++) {
    const isFree = await Promise.all([1, 2, 3].map(n => canListen(base * 10 + n)))
    if (!isFree.includes(false)) return `${base}`
  }
  throw new Error('no three free ports in a row')
}

function canListen(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
