import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { before, describe, test } from 'node:test'
import { IntegrityError } from '@postern/core'
import { until } from '../../../test/until.ts'
import { GROUP_HEADER_BYTES } from '../src/embedded/segment.ts'
import { type Anchor, fileAnchor, openAuditLog, verifyDirectory } from '../src/index.ts'
import { type VerifyReport, verifyLog } from '../src/verifier.ts'
import { freshDirectory, requestEvent } from './support/events.ts'

const origin = 'shop.example.com/audit'
/** Two bundles, the second partial, and a tile of the second level. */
const SIZE = 270

/** A log, its files in memory, and the verifier on them. */
class SmallLog {
  readonly size: number
  readonly directory = freshDirectory()
  readonly files = new Map<string, Buffer>()
  keys: readonly string[] = []

  constructor(size: number) {
    this.size = size
  }

  async write(): Promise<void> {
    const log = await openAuditLog({ directory: this.directory, origin })
    for (let i = 0; i < this.size; i++) log.record(requestEvent(i, i % 2 === 0 ? { actor: {} } : {}))
    await log.close()
    for (const file of readdirSync(this.directory, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue
      const path = relative(this.directory, join(file.parentPath, file.name))
      if (path === 'checkpoint' || path.startsWith('tile/'))
        this.files.set(path, readFileSync(join(this.directory, path)))
    }
    this.keys = readFileSync(join(this.directory, 'verifier-keys'), 'utf8').trim().split('\n')
  }

  verify(
    changes: ReadonlyMap<string, Buffer | undefined> = new Map(),
    remembered?: string,
  ): Promise<VerifyReport> {
    return verifyLog({
      read: async path => (changes.has(path) ? changes.get(path) : this.files.get(path)),
      verifierKeys: this.keys,
      origin,
      ...(remembered !== undefined && { remembered }),
    })
  }

  /** Files that the checkpoint commits to, and itself. */
  get committed(): readonly string[] {
    return [...this.files.keys()].filter(
      path => !path.includes('.p/') || path.endsWith(`/${this.size % 256}`) || path.startsWith('tile/1'),
    )
  }

  /** Turns a bit of a file, and makes sure that the verifier names where. */
  async turn(path: string, bit: number): Promise<void> {
    const changed = Buffer.from(this.files.get(path) ?? Buffer.alloc(0))
    const at = bit >> 3
    changed[at] = (changed[at] ?? 0) ^ (1 << (bit & 7))
    const { ok, problems } = await this.verify(new Map([[path, changed]]))
    const [problem] = problems
    assert.ok(!ok && problem !== undefined, `${path} bit ${bit}`)
    assert.equal(problem.path, path, `${path} bit ${bit}`)
    // The two bytes before an entry are its length: a change there is named as the entry it makes.
    const from = path.startsWith('tile/entries/') ? problem.from - 2 : problem.from
    assert.ok(
      from <= at && at < Math.max(problem.to, problem.from + 1),
      `${path} bit ${bit}: names ${problem.from} to ${problem.to}`,
    )
  }
}

describe('a log that somebody changed', () => {
  const log = new SmallLog(SIZE)
  const tiny = new SmallLog(3)
  before(() => Promise.all([log.write(), tiny.write()]))

  test('was sound before', async () => {
    const report = await log.verify()
    assert.deepEqual([report.ok, report.size, report.entries, report.problems], [true, SIZE, SIZE, []])
    for (const path of log.committed) assert.ok(log.files.has(path), path)
  })

  test('is found out for every bit of a small log, and the bad bytes are named', async () => {
    assert.deepEqual(tiny.committed.toSorted(), ['checkpoint', 'tile/0/000.p/3', 'tile/entries/000.p/3'])
    for (const path of tiny.committed) {
      for (let bit = 0; bit < (tiny.files.get(path)?.length ?? 0) * 8; bit++) await tiny.turn(path, bit)
    }
  })

  test('is found out for bits anywhere in a log of several tiles', async () => {
    assert.deepEqual(log.committed.toSorted(), [
      'checkpoint',
      'tile/0/000',
      'tile/0/001.p/14',
      'tile/1/000.p/1',
      'tile/entries/000',
      'tile/entries/001.p/14',
    ])
    for (const path of log.committed) {
      for (let bit = 0; bit < (log.files.get(path)?.length ?? 0) * 8; bit += 8 * 997 + 1)
        await log.turn(path, bit)
    }
  })

  test('is found out when a file is cut short, grows, or is gone', async () => {
    for (const path of log.committed) {
      const sound = log.files.get(path) ?? Buffer.alloc(0)
      const forms = [
        sound.subarray(0, -1),
        sound.subarray(0, sound.length >> 1),
        Buffer.alloc(0),
        Buffer.concat([sound, Buffer.from([0])]),
        undefined,
      ]
      for (const [i, changed] of forms.entries()) {
        const report = await log.verify(new Map([[path, changed]]))
        assert.equal(report.ok, false, `${path} form ${i}`)
      }
    }
  })

  test('is found out when two entries change places, or two tiles', async () => {
    const bundle = log.files.get('tile/entries/000') ?? Buffer.alloc(0)
    const first = bundle.subarray(0, 2 + bundle.readUInt16BE(0))
    const second = bundle.subarray(first.length, first.length + 2 + bundle.readUInt16BE(first.length))
    const rest = bundle.subarray(first.length + second.length)
    const swapped = await log.verify(new Map([['tile/entries/000', Buffer.concat([second, first, rest])]]))
    assert.equal(swapped.problems[0]?.message.includes('entry 0'), true)
    const zero = log.files.get('tile/0/000')
    const one = log.files.get('tile/0/001.p/14')
    const tiles = await log.verify(
      new Map([
        ['tile/0/000', one],
        ['tile/0/001.p/14', zero],
      ]),
    )
    assert.equal(tiles.ok, false)
  })

  test('is found out when entry, hash and upper tile were all changed to fit each other', async () => {
    const other = new SmallLog(SIZE)
    await other.write()
    const all = new Map([...other.files].filter(([path]) => path.startsWith('tile/')))
    const report = await log.verify(all)
    assert.equal(report.ok, false)
    assert.match(report.problems[0]?.message ?? '', /not with the signed checkpoint/)
  })

  test('is found out when a tenant lacks an entry, even under a valid signature', async () => {
    const leaf = (index: number, number: number): Buffer =>
      Buffer.from(
        JSON.stringify({ v: 1, index, tenant: 'acme', number, event: { type: 'x', time: 0, actor: {} } }),
      )
    const bundle = Buffer.concat(
      [leaf(0, 1), leaf(1, 3)].flatMap(bytes => [
        Buffer.from([bytes.length >> 8, bytes.length & 255]),
        bytes,
      ]),
    )
    const report = await log.verify(new Map([['tile/entries/000', bundle]]))
    assert.ok(report.problems.some(({ message }) => message === 'entry 1 is number 3 of its tenant, after 1'))
  })

  test('is found out when it was rolled back to an older state, by a remembered checkpoint', async () => {
    const later = await openAuditLog({ directory: log.directory, origin })
    await later.commit(requestEvent(999))
    const remembered = await later.checkpoint()
    await later.close()
    const report = await log.verify(new Map(), remembered)
    assert.match(report.problems[0]?.message ?? '', /rolled back/)
  })
})

/** A log of one entry, put back after its anchor saw so many more. */
async function putBack(more: number): Promise<{ readonly directory: string; readonly anchor: Anchor }> {
  const directory = freshDirectory()
  const anchor = fileAnchor(`${directory}.anchor`)
  const log = await openAuditLog({ directory, origin, anchors: [anchor] })
  await log.commit(requestEvent(1))
  await log.close()
  cpSync(directory, `${directory}.old`, { recursive: true })
  const later = await openAuditLog({ directory, origin, anchors: [anchor] })
  for (let i = 0; i < more; i++) await later.commit(requestEvent(2 + i))
  await later.checkpoint()
  await later.close()
  rmSync(directory, { recursive: true })
  cpSync(`${directory}.old`, directory, { recursive: true })
  return { directory, anchor }
}

describe('a directory that was copied or restored in part', () => {
  const written = async (): Promise<string> => {
    const directory = freshDirectory()
    const log = await openAuditLog({ directory, origin })
    await log.commit(requestEvent(1))
    await log.close()
    return directory
  }

  for (const [file, way] of [
    ['signing-keys', /has no signing keys: .*signing-keys does not exist\. Restore it/],
    ['subjects.db', /has no keys of subjects: .*subjects\.db does not exist\. Restore it/],
  ] as const)
    test(`is refused without its ${file}, and no new one is made in its place`, async () => {
      const directory = await written()
      const kept = join(directory, 'kept')
      cpSync(join(`${directory}-keys`, file), kept)
      rmSync(join(`${directory}-keys`, file))
      for (const _ of [1, 2])
        await assert.rejects(openAuditLog({ directory, origin }), (error: Error) => {
          assert.ok(error instanceof IntegrityError)
          assert.match(error.message, way)
          return true
        })
      cpSync(kept, join(`${directory}-keys`, file))
      rmSync(kept)
      const log = await openAuditLog({ directory, origin })
      await log.commit(requestEvent(2))
      await log.close()
    })

  test('goes on with an empty subjects.db where the operator says that the old one is lost', async () => {
    const directory = await written()
    rmSync(`${directory}-keys/subjects.db`)
    writeFileSync(`${directory}-keys/subjects.db`, '')
    const log = await openAuditLog({ directory, origin })
    await log.commit(requestEvent(2))
    await log.close()
    assert.equal((await verifyDirectory(directory)).size, 2)
  })

  test('is refused by the anchor of another log with a sentence that says so', async () => {
    const anchor = `${freshDirectory()}.anchor`
    const first = await openAuditLog({ directory: freshDirectory(), origin, anchors: [fileAnchor(anchor)] })
    await first.commit(requestEvent(1))
    await first.checkpoint()
    await until(async () => (await fileAnchor(anchor).latest()) !== undefined)
    await first.close()
    for (const name of [origin, 'other.example/audit']) {
      const opening = openAuditLog({
        directory: freshDirectory(),
        origin: name,
        anchors: [fileAnchor(anchor)],
      })
      await assert.rejects(opening, /anchor "file .*" keeps a checkpoint that is not of this log/)
    }
  })
})

describe('attack: a copy of the directory goes on on another host', () => {
  test('whichever comes second to an anchor of both says so, and keeps what is there', async () => {
    const directory = freshDirectory()
    const path = `${directory}.anchor`
    const first = await openAuditLog({ directory, origin, anchors: [fileAnchor(path)] })
    await first.commit(requestEvent(1))
    await first.checkpoint()
    await first.close()
    const copy = `${directory}.copy`
    cpSync(directory, copy, { recursive: true })
    cpSync(`${directory}-keys`, `${copy}-keys`, { recursive: true })
    const problems: { readonly [host: string]: string[] } = { one: [], two: [] }
    const open = (place: string, host: 'one' | 'two') =>
      openAuditLog({
        directory: place,
        origin,
        anchors: [fileAnchor(path)],
        onOutsideError: error => problems[host]?.push(String(error)),
      })
    const [one, two] = [await open(directory, 'one'), await open(copy, 'two')]
    await one.commit(requestEvent(2))
    await one.checkpoint()
    await until(async () => (await fileAnchor(path).latest())?.split('\n')[1] === '2')
    await two.commit(requestEvent(3))
    await two.checkpoint()
    await until(() => problems['two']?.length === 1)
    assert.match(problems['two']?.[0] ?? '', /IntegrityError.*a copy of it goes on elsewhere/)
    await two.commit(requestEvent(4))
    await two.checkpoint()
    await until(() => problems['two']?.length === 2)
    await one.commit(requestEvent(5))
    await one.checkpoint()
    await until(async () => (await fileAnchor(path).latest())?.split('\n')[1] === '3')
    assert.deepEqual(problems['one'], [])
    await Promise.all([one.close(), two.close()])
    // Nothing of the copy is in the anchor: it opens the one, and refuses the other.
    await (await open(directory, 'one')).close()
    await assert.rejects(open(copy, 'two'), IntegrityError)
  })

  test('after a rollback that an operator accepted the anchor takes the log as it is, once', async () => {
    const { directory, anchor } = await putBack(4)
    const accepted = await openAuditLog({ directory, origin, anchors: [anchor], acceptRollback: true })
    await accepted.checkpoint()
    await until(async () => (await anchor.latest())?.split('\n')[1] === '2')
    await accepted.close()
    await (await openAuditLog({ directory, origin, anchors: [anchor] })).close()
    assert.equal((await anchor.latest())?.split('\n')[1], '2')
  })
})

describe('a directory that was put back to an older state', () => {
  test('is refused on opening when an anchor remembers more, until an operator says that it is meant', async () => {
    const { directory, anchor } = await putBack(1)
    await assert.rejects(
      openAuditLog({ directory, origin, anchors: [anchor] }),
      (error: unknown) => error instanceof IntegrityError && error.message.includes('rolled back'),
    )
    const accepted = await openAuditLog({ directory, origin, anchors: [anchor], acceptRollback: true })
    await accepted.close()
    assert.equal((await verifyDirectory(directory)).ok, true)
  })

  test('is refused when the anchor remembers other entries of the same number', async () => {
    const anchor = fileAnchor(`${freshDirectory()}.anchor`)
    const directory = freshDirectory()
    const log = await openAuditLog({ directory, origin, anchors: [anchor] })
    await log.commit(requestEvent(1))
    await log.close()
    rmSync(directory, { recursive: true })
    const forged = await openAuditLog({ directory, origin })
    await forged.commit(requestEvent(2))
    await forged.commit(requestEvent(3))
    await forged.close()
    await assert.rejects(openAuditLog({ directory, origin, anchors: [anchor] }), /are not those that anchor/)
  })

  test('is refused when segments with acknowledged entries are gone, or changed in their middle', async () => {
    const directory = freshDirectory()
    const log = await openAuditLog({ directory, origin })
    for (let i = 0; i < 50; i++) await log.commit(requestEvent(i))
    await log.close()
    const wal = join(directory, 'wal')
    const [name = ''] = readdirSync(wal)
    const sound = readFileSync(join(wal, name))
    rmSync(join(wal, name))
    await assert.rejects(openAuditLog({ directory, origin }), /acknowledged entries may be lost/)
    const changed = Buffer.from(sound)
    changed[sound.length >> 1] = (changed[sound.length >> 1] ?? 0) ^ 1
    writeFileSync(join(wal, name), changed)
    await assert.rejects(openAuditLog({ directory, origin }), IntegrityError)
    writeFileSync(join(wal, name), sound)
    await (await openAuditLog({ directory, origin })).close()
  })

  test('is refused when its checkpoint is gone, whatever else of it was removed', async () => {
    for (const gone of [
      [],
      ['index.db'],
      ['index.db', 'numbers'],
      ['tile', 'numbers'],
      ['tile', 'index.db'],
    ]) {
      const directory = freshDirectory()
      const log = await openAuditLog({ directory, origin })
      for (let i = 0; i < 10; i++) await log.commit(requestEvent(i))
      await log.close()
      for (const name of ['checkpoint', ...gone]) rmSync(join(directory, name), { recursive: true })
      const [segment = ''] = readdirSync(join(directory, 'wal'))
      truncateSync(join(directory, 'wal', segment), 400)
      await assert.rejects(openAuditLog({ directory, origin }), /the checkpoint is missing, and there is /)
    }
  })

  test('is refused when headers of overlapping groups were put behind the last entry, without checking each', async () => {
    const directory = freshDirectory()
    const log = await openAuditLog({ directory, origin })
    await log.commit(requestEvent(1))
    await log.close()
    const wal = join(directory, 'wal')
    const [name = ''] = readdirSync(wal)
    const sound = readFileSync(join(wal, name))
    const last = sound.lastIndexOf('GRP1')
    const end = last + GROUP_HEADER_BYTES + sound.readUInt32BE(last + 4)
    const tail = Buffer.alloc(64 * 1_024)
    const torn = () => writeFileSync(join(wal, name), Buffer.concat([sound.subarray(0, end), tail]))
    for (let at = 0; at + GROUP_HEADER_BYTES < tail.length; at += GROUP_HEADER_BYTES) {
      tail.write('GRP1', at)
      tail.writeUInt32BE(tail.length - at - GROUP_HEADER_BYTES, at + 4)
    }
    torn()
    await assert.rejects(openAuditLog({ directory, origin }), IntegrityError)
    // One such header is what a power failure leaves of a group.
    tail.fill(0, GROUP_HEADER_BYTES)
    torn()
    await (await openAuditLog({ directory, origin })).close()
  })
})
