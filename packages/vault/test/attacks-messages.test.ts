// Attacks on the messages between client and holders: whoever is one of the holders, or on the way to them,
// or shares the machine with one. Each is a test of one sentence of docs/vault-threat-model.md.
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { systemClock, systemRandom } from '@postern/core'
import { until } from '../../../test/until.ts'
import type { HolderAnswer } from '../src/holder/holder-answer.ts'
import { parseHolderConfig } from '../src/holder/holder-config.ts'
import type { HolderCore } from '../src/holder/holder-core.ts'
import { listenTls, listenUnix } from '../src/holder/holder-listener.ts'
import { HolderStore } from '../src/holder/holder-store.ts'
import { startHolder } from '../src/holder/start-holder.ts'
import { unlockKey } from '../src/holder/unlock.ts'
import { encodeFrame, FrameReader } from '../src/split/frame.ts'
import { SocketLink } from '../src/split/holder-link.ts'
import { PART_BYTES } from '../src/split/part.ts'
import { SplitKeys } from '../src/split/split-keys.ts'
import { identity } from './support/holder-processes.ts'
import { type CoreLink, EventList, packed, TestPerson, testHolders } from './support/holders.ts'
import { item, named, nonceOf, refusedAs } from './support/requests.ts'
import { opened, place, sealed } from './support/split-records.ts'

const folder = mkdtempSync(join(tmpdir(), 'vault-messages-'))
after(() => rmSync(folder, { recursive: true }))

type Parts = Record<string, string>

/** A client whose second holder changes its answers. */
function withChanged(holders: ReturnType<typeof testHolders>, change: (parts: Parts) => void) {
  const [one, two, three] = holders.client('app').links as [CoreLink, CoreLink, CoreLink]
  const liar = {
    id: two.id,
    isUp: true,
    close() {},
    request: async (body: object, timeout: number) => {
      const answer = (await two.request(body, timeout)) as { parts?: Parts }
      if (answer.parts !== undefined && 'items' in body) change(answer.parts)
      return answer
    },
  }
  const blamed: number[] = []
  const keys = new SplitKeys({
    links: [one, liar, three],
    hedgeAfter: 1_000,
    timeout: 2_000,
    onLiar: id => blamed.push(id),
  })
  return { keys, blamed }
}

const outputs = (text: string): Buffer[] => {
  const bytes = Buffer.from(text, 'base64url')
  return Array.from({ length: bytes.length / PART_BYTES }, (_, i) =>
    bytes.subarray(i * PART_BYTES, (i + 1) * PART_BYTES),
  )
}
const ROWS = [1, 2, 3, 4, 5, 6]
const PLAIN = ROWS.map(row => `secret ${row}`)

describe('a holder that changes its answers', () => {
  for (const [name, change] of Object.entries({
    'reorders the items of a batch': (list: Buffer[]) => list.reverse(),
    'answers the first item for all of them': (list: Buffer[]) => list.map(() => list[0] as Buffer),
    'splits the answer and leaves the end away': (list: Buffer[]) => list.slice(0, -1),
    'appends the outputs of another batch': (list: Buffer[]) => [...list, ...list],
  }))
    it(`${name}: everything opens, as what it is`, async () => {
      const holders = testHolders()
      const records = await sealed(holders.keys, ROWS)
      const { keys } = withChanged(holders, parts => {
        for (const [part, text] of Object.entries(parts))
          parts[part] = Buffer.concat(change(outputs(text))).toString('base64url')
      })
      for (const record of records)
        assert.equal((await opened(keys, [record]))[0]?.startsWith('secret'), true)
      assert.deepEqual(await opened(keys, records), PLAIN)
    })

  it('swaps its two parts: it is found out, and blamed by what the records commit to', async () => {
    const holders = testHolders()
    const records = await sealed(holders.keys, ROWS)
    const { keys } = withChanged(holders, parts => {
      const { a, c } = parts
      parts['a'] = c ?? ''
      parts['c'] = a ?? ''
    })
    assert.deepEqual(await opened(keys, records), PLAIN)
  })

  it('answers one request with what belongs to another: no value comes back in place of another', async () => {
    const holders = testHolders()
    const records = await sealed(holders.keys, ROWS)
    let earlier: Parts | undefined
    const { keys } = withChanged(holders, parts => {
      const now = { ...parts }
      if (earlier !== undefined) Object.assign(parts, earlier)
      earlier = now
    })
    for (const [index, record] of records.entries())
      assert.deepEqual(await opened(keys, [record]), [PLAIN[index]])
  })
})

describe('who has a capability of somebody', () => {
  it('presents it on two connections at once: one of them opens', () => {
    const holders = testHolders()
    const [core] = holders.cores as [HolderCore]
    const capability = new TestPerson('anne', holders.enroller, holders.clock).capability(named(1))
    const body = { op: 'open', items: packed([item(1)]), capability }
    const words = [core.answer('app', body), core.answer('app', body)].map(refusedAs)
    assert.deepEqual(words, [undefined, 'capability'])
  })

  it('races two of them for the last unit of a budget: one opens, and the other is not used up', () => {
    const budgets = { person: 2, service: 9, served: 100, table: 100, all: 100 }
    const holders = testHolders({ budgets })
    const [core] = holders.cores as [HolderCore]
    const anne = new TestPerson('anne', holders.enroller, holders.clock)
    const ask = (row: number, capability: string) =>
      refusedAs(core.answer('app', { op: 'open', items: packed([item(row)]), capability }))
    const second = anne.capability(named(2), { expiresAt: holders.clock.now() + 290_000 })
    assert.equal(ask(1, anne.capability(named(1))), undefined)
    assert.equal(ask(2, second), 'budget')
    assert.equal(ask(2, second), 'budget', 'refused for the budget again, not as used')
  })

  it('writes the same one in other characters: it is used all the same', () => {
    const holders = testHolders()
    const [core] = holders.cores as [HolderCore]
    const capability = new TestPerson('anne', holders.enroller, holders.clock).capability(named(1))
    const [body = '', signature = ''] = capability.split('.')
    const ask = (text: string) =>
      refusedAs(core.answer('app', { op: 'open', items: packed([item(1)]), capability: text }))
    assert.equal(ask(capability), undefined)
    for (const variant of [
      `${capability}=`,
      `${body}=.${signature}`,
      `${body}.${signature}==`,
      ` ${capability}`,
    ])
      assert.equal(ask(variant), 'capability')
  })

  it('takes the nonce of another person: each has their own', () => {
    const holders = testHolders()
    const [core] = holders.cores as [HolderCore]
    const nonce = Buffer.alloc(16, 7).toString('base64url')
    for (const name of ['anne', 'bob']) {
      const capability = new TestPerson(name, holders.enroller, holders.clock).capability(named(1), { nonce })
      const body = { op: 'open', items: packed([item(1)]), capability }
      assert.deepEqual([core.answer('app', body), core.answer('app', body)].map(refusedAs), [
        undefined,
        'capability',
      ])
    }
  })
})

describe('who writes messages by hand', () => {
  it('asks in an earlier protocol, or in an unknown one: nothing is answered, and nothing counted', () => {
    const holders = testHolders()
    const [core] = holders.cores as [HolderCore]
    for (const body of [
      { op: 'open', items: [{ context: place(1), epoch: 0, salt: item(1).salt }] },
      { op: 'open', version: 0, items: packed([item(1)]).slice(0, -4) },
      { op: 'constructor' },
      { op: '__proto__' },
      { op: ['open'], items: packed([item(1)]) },
      Object.create({ op: 'open', items: packed([item(1)]) }),
    ])
      assert.equal(refusedAs(core.answer('app', JSON.parse(JSON.stringify(body)))), 'malformed')
    assert.equal(core.used('service app'), 0)
  })

  it('names one record a thousand times: it is one unit, and the same output each time', () => {
    const holders = testHolders()
    const [core] = holders.cores as [HolderCore]
    const answer = core.answer('app', {
      op: 'open',
      items: packed(Array.from({ length: 1_000 }, () => item(1))),
    })
    assert.equal(core.used('service app'), 1)
    assert.ok('parts' in answer)
    for (const text of Object.values(answer.parts))
      assert.equal(new Set(outputs(text).map(output => output.toString('hex'))).size, 1)
  })

  it('puts contributions in another order, or one of them twice: no salt is made of them', () => {
    const holders = testHolders()
    const [one, two] = holders.cores as [HolderCore, HolderCore]
    const ask = (order: readonly number[]) => {
      const nonces = [one, two].map(core => nonceOf(core.answer('app', { op: 'nonces', count: 1 })))
      const contributions = order.map(index => ({ holder: index + 1, nonce: nonces[index] }))
      return refusedAs(
        one.answer('app', { op: 'seal', epoch: 0, items: [{ context: place(1), contributions }] }),
      )
    }
    assert.equal(ask([0, 1]), undefined)
    for (const order of [[1, 0], [0, 0], [0], [0, 1, 1]]) assert.equal(ask(order), 'malformed')
  })

  it('sends frames that are empty, endless, or not a message: the connection ends, and others go on', async () => {
    const own = identity('holder')
    const app = identity('app')
    const { port, close } = await listenTls({ host: '127.0.0.1', port: 0 }, own, () => () => ({ pong: true }))
    const path = join(folder, 'hostile.sock')
    const unix = await listenUnix(path, 0o600, () => ({ pong: true }))
    try {
      for (const bytes of [
        Buffer.alloc(4),
        Buffer.from('ffffffff', 'hex'),
        Buffer.from('0000000178', 'hex'),
        Buffer.concat([Buffer.from('00000004', 'hex'), Buffer.from([0xff, 0xfe, 0x22, 0x22])]),
      ]) {
        const socket = connect(path)
        socket.write(bytes)
        await ended(socket)
      }
      // An id is what the caller likes; it is never a name of something of ours.
      assert.deepEqual(await answersTo(path, { id: '__proto__', body: 1 }), { id: 0, answer: { pong: true } })
      await new Promise<void>(resolve => {
        const onUp = (): void => {
          link.close()
          resolve()
        }
        const address = { host: '127.0.0.1', port, fingerprint: own.fingerprint }
        const link = new SocketLink(1, address, { identity: app, onUp })
      })
    } finally {
      await close()
      await unix.close()
    }
  })

  it('is another holder at the address of one: its certificate is right, but of the wrong one', async () => {
    const [one, two] = [identity('postern holder 1'), identity('postern holder 1')] as const
    let asked = 0
    let connected = 0
    const server = createTlsServer(
      { key: two.privateKey, cert: two.certificate, requestCert: true },
      socket => socket.on('data', () => asked++).on('error', () => {}),
    )
    server.on('connection', () => connected++).on('tlsClientError', () => {})
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const address = { host: '127.0.0.1', port, fingerprint: one.fingerprint }
    const link = new SocketLink(1, address, { identity: identity('app') })
    try {
      // The same name in it, the same kind of key, and still nothing is sent to it.
      await until(() => connected > 1)
      assert.equal(link.isUp, false)
      await assert.rejects(link.request({ op: 'ping' }, 100), { code: 'POSTERN_STORE' })
      assert.equal(asked, 0)
    } finally {
      link.close()
      server.close()
    }
  })
})

describe('another holder, or a service, that asks for what is the operator’s', () => {
  it('gets nothing: a peer may freeze and hand over a shared part, a service may ask for records', async () => {
    const [peer, app] = [identity('holder 2'), identity('app')]
    const key = join(folder, 'key')
    writeFileSync(key, Buffer.from(systemRandom.bytes(32)).toString('base64url'), { mode: 0o600 })
    const config = parseHolderConfig(
      {
        id: 1,
        data: join(folder, 'holder.db'),
        operator: join(folder, 'operator.sock'),
        tls: { host: '127.0.0.1', port: 0 },
        peers: { 2: { host: '127.0.0.1', port: 1, fingerprint: peer.fingerprint } },
        services: { app: { fingerprint: app.fingerprint, seal: ['*'], open: ['*'] } },
      },
      'holder.json',
    )
    const holder = await startHolder({
      config,
      unlock: { kind: 'file', path: key },
      recorder: new EventList(),
      clock: systemClock,
      random: systemRandom,
    })
    const address = { host: '127.0.0.1', port: holder.port, fingerprint: holder.fingerprint }
    const links = [peer, app].map(who => new SocketLink(1, address, { identity: who }))
    try {
      await until(() => links.every(({ isUp }) => isUp))
      const secret = Buffer.alloc(32).toString('base64url')
      for (const [index, word] of ['forbidden', 'malformed'].entries())
        for (const body of [
          { op: 'status' },
          { op: 'thaw', actor: 'person anne' },
          { op: 'canary', context: place(1) },
          { op: 'epoch.begin', epoch: 0 },
          { op: 'epoch.remove', epoch: 0 },
          { op: 'give', holder: 2 },
          { op: 'backup', path: join(folder, 'stolen.db') },
          // Part b is one that holder 2 must not have, a one that holder 1 must not have.
          { op: 'part', epoch: 0, part: 'b', key: secret },
          { op: 'part', epoch: 0, part: 'a', key: secret },
          ...(index === 0
            ? [
                { op: 'open', items: packed([item(1)]) },
                { op: 'nonces', count: 1 },
              ]
            : []),
          { op: 'freeze', actor: 'everybody' },
        ])
          assert.equal(
            refusedAs((await (links[index] as SocketLink).request(body, 30_000)) as HolderAnswer),
            word,
            JSON.stringify(body),
          )
      assert.equal(existsSync(join(folder, 'stolen.db')), false)
      assert.equal(holder.core.frozen.size, 0)
    } finally {
      for (const link of links) link.close()
      await holder.close()
    }
  })
})

describe('who has an account on the machine of a holder', () => {
  it('may write the folder of its unix socket: the holder does not listen there', async () => {
    const open = join(folder, 'open')
    mkdirSync(open)
    chmodSync(open, 0o777)
    await assert.rejects(
      listenUnix(join(open, 'app.sock'), 0o660, () => ({})),
      { code: 'POSTERN_CONFIG' },
    )
    chmodSync(open, 0o1777)
    await (await listenUnix(join(open, 'app.sock'), 0o660, () => ({}))).close()
  })

  it('has the socket’s path point at a file: the file stays', async () => {
    const path = join(folder, 'holder.key')
    writeFileSync(path, 'precious')
    await assert.rejects(
      listenUnix(path, 0o600, () => ({})),
      { code: 'POSTERN_CONFIG' },
    )
    assert.ok(existsSync(path))
  })

  it('puts a symbolic link where the key file was: what it points to must be private, too', async () => {
    const text = Buffer.from(systemRandom.bytes(32)).toString('base64url')
    const [target, link] = [join(folder, 'target'), join(folder, 'link')]
    writeFileSync(target, text, { mode: 0o644 })
    chmodSync(target, 0o644)
    symlinkSync(target, link)
    const store = HolderStore.open(join(folder, 'linked.db'))
    try {
      const unlock = { kind: 'file', path: link } as const
      await assert.rejects(unlockKey(store, unlock, systemRandom), { code: 'POSTERN_CONFIG' })
      chmodSync(target, 0o600)
      assert.equal((await unlockKey(store, unlock, systemRandom)).length, 32)
    } finally {
      store.close()
    }
  })
})

async function ended(socket: Socket): Promise<void> {
  socket.on('error', () => {})
  socket.resume()
  socket.setTimeout(30_000, () => socket.destroy(new Error('still open after 30 s')))
  await new Promise(resolve => socket.once('close', resolve))
}

async function answersTo(path: string, message: object): Promise<unknown> {
  const socket = connect(path)
  socket.write(encodeFrame(message))
  const reader = new FrameReader()
  const [answer] = await new Promise<readonly unknown[]>((resolve, reject) => {
    socket.setTimeout(30_000, () => reject(new Error('no answer after 30 s')))
    socket.once('error', reject)
    socket.on('data', (chunk: Buffer) => {
      const messages = reader.push(chunk)
      if (messages.length > 0) resolve(messages)
    })
  })
  socket.destroy()
  return answer
}
