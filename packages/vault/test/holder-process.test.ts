import assert from 'node:assert/strict'
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { type ConnectionOptions, connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { until } from '../../../test/until.ts'
import { tryOpenRecord } from '../src/record/open-record.ts'
import { encodeContext, type RecordContext } from '../src/record/record-context.ts'
import { parseRecord } from '../src/record/record-format.ts'
import { sealRecord } from '../src/record/seal-record.ts'
import { encodeFrame } from '../src/split/frame.ts'
import { SocketLink } from '../src/split/holder-link.ts'
import type { HolderId } from '../src/split/part.ts'
import { SplitKeys } from '../src/split/split-keys.ts'
import { HolderProcesses, identity } from './support/holder-processes.ts'

const context = (row: number): RecordContext => ({
  tenant: '',
  table: 'customers',
  column: 'email',
  row: [`${row}`],
  version: 0,
})

let holders: HolderProcesses
let keys: SplitKeys
let links: readonly SocketLink[]
let sequence = 0

before(async () => {
  holders = await HolderProcesses.start({ budgets: { service: 1_000 } })
  links = await holders.links()
  keys = new SplitKeys({ links })
})
after(async () => {
  keys.close()
  await holders.stop()
  rmSync(holders.folder, { recursive: true })
})

const PING = encodeFrame({ id: 1, body: { op: 'ping' } })

/** What holder 1 answers to a ping over TLS with these credentials. */
function answerTo(credentials: ConnectionOptions): Promise<string> {
  const port = holders.ports.get(1) ?? 0
  const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ...credentials })
  socket.once('secureConnect', () => socket.write(PING))
  return received(socket)
}

/** Everything that comes until the connection ends, or the first of it. */
function received(socket: Socket): Promise<string> {
  return new Promise(resolve => {
    socket.on('error', () => {})
    socket.setTimeout(30_000, () => socket.destroy())
    socket.once('close', () => resolve(''))
    socket.once('data', (chunk: Buffer) => {
      resolve(chunk.toString('latin1'))
      socket.destroy()
    })
  })
}

/** Waits until the client has found every holder again. */
async function allUp(): Promise<void> {
  await until(() => links.every(({ isUp }) => isUp))
}

async function seal(count: number) {
  const contexts = Array.from({ length: count }, () => context(sequence++))
  const made = await keys.seal(contexts)
  return contexts.map((place, index) => {
    const { recordKey, salt, epoch } = made[index] as (typeof made)[number]
    return {
      context: place,
      encoded: encodeContext(place),
      record: parseRecord(
        sealRecord({
          recordKey,
          salt,
          epoch,
          mode: 'split',
          context: encodeContext(place),
          plaintext: Buffer.from(`row ${place.row[0]}`),
        }),
      ),
    }
  })
}

async function open(records: Awaited<ReturnType<typeof seal>>): Promise<void> {
  const found = await keys.open(records)
  for (const [index, { context: place, record }] of records.entries()) {
    const [candidate] = found.candidates[index] ?? []
    assert.ok(candidate !== undefined)
    assert.equal(
      tryOpenRecord(record, candidate.recordKey, encodeContext(place))?.toString(),
      `row ${place.row[0]}`,
    )
  }
}

describe('three holder processes', () => {
  it('seal and open over TLS, and an epoch began without any machine having all three parts', async () => {
    await open(await seal(50))
    for (const id of [1, 2, 3] as const) {
      const state = (await holders.operate(id, { op: 'status' })) as { epochs: number[] }
      assert.deepEqual(state.epochs, [0])
    }
  })

  it('a stranger’s certificate gets no answer, nor does none, nor an older TLS, nor plain text', async () => {
    const { app } = holders
    const stranger = identity('stranger')
    assert.match(await answerTo({ key: app.privateKey, cert: app.certificate }), /pong/)
    assert.equal(await answerTo({ key: stranger.privateKey, cert: stranger.certificate }), '')
    assert.equal(await answerTo({}), '')
    assert.equal(await answerTo({ key: app.privateKey, cert: app.certificate, maxVersion: 'TLSv1.2' }), '')
    const plain = connect(holders.ports.get(1) ?? 0, '127.0.0.1')
    plain.write(PING)
    assert.doesNotMatch(await received(plain), /pong/)
  })

  it('a client sends nothing to a holder whose fingerprint is not the pinned one', async () => {
    let connections = 0
    let bytes = 0
    const { privateKey: key, certificate: cert } = identity('fake')
    const fake = createTlsServer({ key, cert, requestCert: true, rejectUnauthorized: false }, socket => {
      socket.on('error', () => {})
      socket.on('data', chunk => {
        bytes += chunk.length
      })
    })
    fake.on('connection', () => {
      connections++
    })
    await new Promise<void>(resolve => fake.listen(0, '127.0.0.1', resolve))
    const { port } = fake.address() as AddressInfo
    const address = { host: '127.0.0.1', port, fingerprint: holders.address(1).fingerprint }
    const link = new SocketLink(1, address, { identity: holders.app })
    try {
      // It comes back again and again, and hangs up each time it sees the certificate.
      await until(() => connections >= 3)
      await assert.rejects(link.request({ op: 'ping' }, 200), { code: 'POSTERN_STORE' })
      assert.equal(link.isUp, false)
      assert.equal(bytes, 0)
    } finally {
      link.close()
      fake.close()
    }
  })

  it('the operator’s socket and the file are private, and parts are wrapped in it', async () => {
    assert.equal(statSync(join(holders.folder, 'operator-1.sock')).mode & 0o777, 0o600)
    assert.equal(statSync(holders.data(1)).mode & 0o777, 0o600)
    const link = new SocketLink(1, holders.address(1), { identity: holders.app })
    assert.ok(existsSync(holders.data(1)))
    link.close()
  })

  for (const [name, signal] of [
    ['killed', 'SIGKILL'],
    ['stopped (SIGSTOP)', 'SIGSTOP'],
  ] as const) {
    for (const victim of [1, 2, 3] as const) {
      it(`no read and no write fails with holder ${victim} ${name}`, async () => {
        await allUp()
        const records = await seal(20)
        if (signal === 'SIGKILL') await holders.kill(victim)
        else holders.signal(victim, signal)
        for (let i = 0; i < 10; i++) {
          await open(records.slice(i * 2, i * 2 + 2))
          await seal(2)
        }
        if (signal === 'SIGKILL') await holders.spawn(victim)
        else holders.signal(victim, 'SIGCONT')
        await open(records)
      })
    }
  }

  it('a canary touched freezes the service on all three holders within a second', async () => {
    await allUp()
    await holders.connected()
    const [record] = await seal(1)
    assert.ok(record !== undefined)
    await holders.operate(1, { op: 'canary', context: record.context })
    await holders.operate(2, { op: 'canary', context: record.context })
    await holders.operate(3, { op: 'canary', context: record.context })
    await assert.rejects(keys.open([record]), { code: 'POSTERN_CREDENTIAL' })
    const started = Date.now()
    for (const id of [1, 2, 3] as HolderId[]) {
      for (;;) {
        const { frozen } = (await holders.operate(id, { op: 'status' })) as { frozen: Record<string, string> }
        if ('service app' in frozen) break
        assert.ok(Date.now() - started < 1_000, `holder ${id} does not know yet`)
        await new Promise(resolve => setTimeout(resolve, 10))
      }
      await holders.operate(id, { op: 'thaw', actor: 'service app' })
    }
  })

  it('a lost holder is replaced by a fresh one that the other two give its parts', async () => {
    await allUp()
    const records = await seal(5)
    await holders.kill(2)
    for (const suffix of ['', '-wal', '-shm']) rmSync(holders.data(2) + suffix, { force: true })
    await holders.initialise(2)
    for (const id of [1, 2, 3] as const) holders.configure(id)
    for (const id of [1, 3] as const) {
      await holders.kill(id)
      await holders.spawn(id)
    }
    await holders.spawn(2)
    await holders.connected()
    for (const id of [1, 3] as const) await holders.operate(id, { op: 'give', holder: 2 })
    assert.deepEqual(((await holders.operate(2, { op: 'status' })) as { epochs: number[] }).epochs, [0])
    keys.close()
    links = await holders.links()
    keys = new SplitKeys({ links })
    for (const other of [1, 3] as const) {
      await allUp()
      await holders.kill(other)
      await open(records)
      await holders.spawn(other)
    }
  })

  it('a backup taken while it runs is a holder again when restored: it seals, and opens after a window', async () => {
    await allUp()
    const records = await seal(2)
    const copy = join(holders.folder, 'copy.db')
    assert.deepEqual(await holders.operate(3, { op: 'backup', path: copy }), { done: true })
    const lost = join(holders.folder, 'lost.db')
    await holders.kill(3)
    for (const suffix of ['', '-wal', '-shm'])
      if (existsSync(holders.data(3) + suffix)) renameSync(holders.data(3) + suffix, lost + suffix)
    renameSync(copy, holders.data(3))
    await holders.spawn(3)
    await allUp()
    await open(records)
    assert.match(JSON.stringify(await holders.operate(3, { op: 'status' })), /"closedUntil":"20/)
    await holders.kill(1)
    const written = await seal(2)
    await assert.rejects(open(records), { code: 'POSTERN_BUDGET_EXCEEDED' })
    // What was sealed with its parts opens with those of the file that it was copied from.
    await holders.kill(3)
    for (const suffix of ['', '-wal', '-shm']) {
      rmSync(holders.data(3) + suffix, { force: true })
      if (existsSync(lost + suffix)) renameSync(lost + suffix, holders.data(3) + suffix)
    }
    await holders.spawn(3)
    await holders.spawn(1)
    await allUp()
    await open(written)
  })

  it('the wrong key file does not unlock it, and nothing secret is printed', async () => {
    await holders.kill(1)
    const key = join(holders.folder, 'key-1')
    const right = readFileSync(key)
    writeFileSync(key, Buffer.alloc(32, 7).toString('base64url'), { mode: 0o600 })
    await assert.rejects(
      holders.spawn(1),
      (error: Error) => error.message.includes('ended with 2') && error.message.includes('does not unlock'),
    )
    writeFileSync(key, right)
    await holders.spawn(1)
  })

  // The last: a holder does not start again on tables that were renamed.
  it('that cannot write answers nothing and says why, until it can', async () => {
    await allUp()
    const records = await seal(1)
    const rename = (from: string, to: string): void => {
      for (const id of [1, 2, 3] as const) {
        const db = new DatabaseSync(holders.data(id))
        db.exec(`ALTER TABLE ${from} RENAME TO ${to}`)
        db.close()
      }
    }
    rename('opened', 'elsewhere')
    await assert.rejects(open(records), { code: 'POSTERN_STORE' })
    const states = ([1, 2, 3] as const).map(id => holders.operate(id, { op: 'status' }))
    const state = JSON.stringify(await Promise.all(states))
    assert.match(state, /"lastFault":\{"at":"20[^"]+","problem":"[^"]*no such table[^"]*"\}/)
    rename('elsewhere', 'opened')
    await allUp()
    await open(records)
  })
})
