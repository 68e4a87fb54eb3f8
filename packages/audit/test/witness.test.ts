import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { IntegrityError, VirtualClock } from '@postern/core'
import { signCheckpoint } from '../src/format/checkpoint.ts'
import { parseWitnessKey } from '../src/format/cosignature.ts'
import { parseNote, verifyNote } from '../src/format/note.ts'
import { parseSignerKey } from '../src/format/note-key.ts'
import {
  COSIGNATURE_V1,
  generateNoteKey,
  httpAnchor,
  logHandler,
  openAuditLog,
  readAuditLog,
  Witness,
  witnessHandler,
} from '../src/index.ts'
import { verifyLog } from '../src/verifier.ts'
import { CheckpointPublisher } from '../src/witness/checkpoint-publisher.ts'
import { WitnessClient } from '../src/witness/witness-client.ts'
import { freshDirectory, requestEvent } from './support/events.ts'

const origin = 'shop.example.com/audit'
const witnessPair = generateNoteKey('witness.example/w1', COSIGNATURE_V1)

async function serve(t: TestContext, handler: RequestListener): Promise<string> {
  const server = createServer(handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return `http://127.0.0.1:${address.port}`
}

/** A log of some entries, closed. */
async function writtenLog(directory: string, entries: number): Promise<void> {
  const log = await openAuditLog({ directory, origin })
  for (let i = 0; i < entries; i++) log.record(requestEvent(i))
  await log.close()
}

function openWitness(verifierKeys: readonly string[], directory: string = freshDirectory()): Witness {
  return Witness.open({
    directory,
    signerKey: witnessPair.signerKey,
    logs: [{ origin, verifierKeys }],
    clock: new VirtualClock(),
  })
}

describe('a witness', () => {
  test('cosigns a log as it grows, over HTTP, and proofs carry its cosignature', async t => {
    const directory = freshDirectory()
    await writtenLog(directory, 3)
    const reader = readAuditLog(directory)
    t.after(() => reader.close())
    const witness = openWitness(await reader.verifierKeys())
    t.after(() => witness.close())
    const url = await serve(t, witnessHandler(witness, '/w1'))
    const errors: unknown[] = []
    const publisher = new CheckpointPublisher(
      {
        witnesses: [{ url: `${url}/w1`, verifierKey: witness.verifierKey }],
        onOutsideError: error => errors.push(error),
      },
      reader,
    )
    await publisher.publish()
    await writtenLog(directory, 400)
    await publisher.publish()
    assert.deepEqual(errors, [])
    const cosigned = (await reader.proof(200n)).split('\n\n').slice(1).join('\n\n')
    assert.equal(verifyNote(cosigned, [parseWitnessKey(witness.verifierKey)]).signatures.length, 1)
    // A client that lost its memory learns from the witness what it saw.
    const forgetful = new WitnessClient({ url: `${url}/w1`, verifierKey: witness.verifierKey })
    await forgetful.cosign(await reader.checkpoint(), reader)
  })

  test('refuses a log that was rolled back, or that is another of the same name', async t => {
    const directory = freshDirectory()
    await writtenLog(directory, 10)
    const reader = readAuditLog(directory)
    const ten = await reader.checkpoint()
    const keys = await reader.verifierKeys()
    const witness = openWitness(keys)
    t.after(() => witness.close())
    const url = await serve(t, witnessHandler(witness))
    const client = new WitnessClient({ url, verifierKey: witness.verifierKey })
    await writtenLog(directory, 10)
    await client.cosign(await reader.checkpoint(), reader)
    await assert.rejects(
      new WitnessClient({ url, verifierKey: witness.verifierKey }).cosign(ten, reader),
      /rolled back/,
    )
    reader.close()
  })

  test('attack: a body without an end is answered as soon as it is too long', async t => {
    const witness = openWitness([])
    t.after(() => witness.close())
    const { hostname, port } = new URL(await serve(t, witnessHandler(witness)))
    const socket = connect(Number(port), hostname)
    t.after(() => socket.destroy())
    const answered = once(socket, 'data') as Promise<[Buffer]>
    socket.write('POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 100000000\r\n\r\n')
    socket.write('x'.repeat(200_000))
    assert.match(String((await answered)[0]), /^HTTP\/1\.1 413 /)
  })

  test('reports to its operator why it answers 500', async t => {
    const directory = freshDirectory()
    await writtenLog(directory, 3)
    const reader = readAuditLog(directory)
    t.after(() => reader.close())
    const pair = generateNoteKey(origin)
    const records = freshDirectory()
    const witness = openWitness([pair.verifierKey], records)
    const errors: unknown[] = []
    const logUrl = await serve(
      t,
      logHandler(reader, '', error => errors.push(error)),
    )
    const witnessUrl = await serve(
      t,
      witnessHandler(witness, '', error => errors.push(error)),
    )
    rmSync(join(directory, 'checkpoint'))
    rmSync(records, { recursive: true })
    const note = signCheckpoint({ origin, size: 1n, root: Buffer.alloc(32, 1) }, [
      parseSignerKey(pair.signerKey),
    ])
    const statuses = [
      await fetch(`${logUrl}/checkpoint`),
      await fetch(`${witnessUrl}/add-checkpoint`, { method: 'POST', body: `old 0\n\n${note}` }),
    ].map(({ status }) => status)
    assert.deepEqual(statuses, [500, 500])
    assert.equal(errors.length, 2)
    assert.match(String(errors[0]), /no checkpoint/)
  })

  test('answers each mistake with the status that C2SP tlog-witness gives it', async t => {
    const pair = generateNoteKey(origin)
    const signer = parseSignerKey(pair.signerKey)
    const witness = openWitness([pair.verifierKey])
    t.after(() => witness.close())
    const note = (size: bigint, fill: number, name: string = origin): string =>
      signCheckpoint({ origin: name, size, root: Buffer.alloc(32, fill) }, [signer])
    const hash = Buffer.alloc(32, 9).toString('base64')
    assert.equal(witness.addCheckpoint('').status, 400)
    assert.equal(witness.addCheckpoint(`old 00\n\n${note(1n, 1)}`).status, 400)
    assert.equal(witness.addCheckpoint(`old 0\nAAAA\n\n${note(1n, 1)}`).status, 400)
    assert.equal(witness.addCheckpoint(`old 0\n${`${hash}\n`.repeat(64)}\n${note(1n, 1)}`).status, 400)
    assert.equal(witness.addCheckpoint(`old 0\n\nnot a note`).status, 400)
    assert.equal(witness.addCheckpoint(`old 0\n\n${note(1n, 1, 'other.example')}`).status, 404)
    const forged = note(1n, 1).replace(
      /(— \S+ \S{10})(\S)/,
      (_, before: string, last: string) => before + (last === 'A' ? 'B' : 'A'),
    )
    assert.ok([400, 403].includes(witness.addCheckpoint(`old 0\n\n${forged}`).status))
    const stranger = signCheckpoint({ origin, size: 1n, root: Buffer.alloc(32, 1) }, [
      parseSignerKey(generateNoteKey(origin).signerKey),
    ])
    assert.equal(witness.addCheckpoint(`old 0\n\n${stranger}`).status, 403)
    assert.equal(witness.addCheckpoint(`old 5\n\n${note(3n, 1)}`).status, 400)
    assert.equal(witness.addCheckpoint(`old 0\n${hash}\n\n${note(4n, 1)}`).status, 422)
    assert.equal(witness.addCheckpoint(`old 0\n\n${note(4n, 1)}`).status, 200)
    const conflict = witness.addCheckpoint(`old 0\n\n${note(5n, 1)}`)
    assert.deepEqual([conflict.status, conflict.contentType, conflict.body], [409, 'text/x.tlog.size', '4\n'])
    assert.equal(witness.addCheckpoint(`old 4\n\n${note(4n, 2)}`).status, 409)
    assert.equal(witness.addCheckpoint(`old 4\n${hash}\n\n${note(5n, 1)}`).status, 422)
    const again = witness.addCheckpoint(`old 4\n\n${note(4n, 1)}`)
    assert.equal(again.status, 200)
    const cosigned = parseNote(`${note(4n, 1)}${again.body}`)
    assert.ok(
      parseWitnessKey(witness.verifierKey).verify(
        cosigned.text,
        cosigned.signatures[1]?.signature ?? new Uint8Array(0),
      ),
    )
  })

  test('remembers across a restart what it cosigned', () => {
    const pair = generateNoteKey(origin)
    const directory = freshDirectory()
    const note = (fill: number): string =>
      signCheckpoint({ origin, size: 4n, root: Buffer.alloc(32, fill) }, [parseSignerKey(pair.signerKey)])
    const first = openWitness([pair.verifierKey], directory)
    assert.equal(first.addCheckpoint(`old 0\n\n${note(1)}`).status, 200)
    first.close()
    const second = openWitness([pair.verifierKey], directory)
    assert.equal(second.addCheckpoint(`old 0\n\n${note(2)}`).status, 409)
    second.close()
  })
})

describe('a log over HTTP', () => {
  test('is verified by the offline verifier reading C2SP paths, and serves nothing else', async t => {
    const directory = freshDirectory()
    await writtenLog(directory, 300)
    const reader = readAuditLog(directory)
    t.after(() => reader.close())
    const url = await serve(t, logHandler(reader, '/log'))
    const report = await verifyLog({
      verifierKeys: await reader.verifierKeys(),
      read: async path => {
        const response = await fetch(`${url}/log/${path}`)
        return response.ok ? new Uint8Array(await response.arrayBuffer()) : undefined
      },
    })
    assert.deepEqual([report.ok, report.entries], [true, 300])
    for (const path of [
      'index.db',
      'wal',
      'tile/0/../../index.db',
      'tile/0/000.p/1',
      'tile/0/001.p/45',
      'verifier-keys',
      '',
    ]) {
      if (path === 'tile/0/000.p/1') continue
      assert.equal((await fetch(`${url}/log/${path}`)).status, 404, path)
    }
    assert.equal((await fetch(`${url}/log/checkpoint`, { method: 'DELETE' })).status, 405)
  })
})

describe('an anchor behind HTTP', () => {
  test('keeps the newest checkpoint, and finds a log that was started again', async t => {
    let kept: string | undefined
    const url = await serve(t, (request, response) => {
      if (request.method === 'GET') {
        response.writeHead(kept === undefined ? 404 : 200)
        response.end(kept)
        return
      }
      let body = ''
      request.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk
      })
      request.on('end', () => {
        kept = body
        response.writeHead(204).end()
      })
    })
    const anchor = httpAnchor({ url })
    const directory = freshDirectory()
    const log = await openAuditLog({ directory, origin, anchors: [anchor] })
    await log.commit(requestEvent(1))
    await anchor.push(await log.checkpoint())
    await log.close()
    const again = await openAuditLog({ directory, origin, anchors: [anchor] })
    await again.close()
    const other = freshDirectory()
    await assert.rejects(
      openAuditLog({ directory: other, origin, keyDirectory: `${directory}-keys`, anchors: [anchor] }),
      IntegrityError,
    )
  })
})
