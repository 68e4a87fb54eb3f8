import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ConfigError, IntegrityError } from '@postern/core'
import {
  formatCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  signCheckpoint,
} from '../src/format/checkpoint.ts'
import { parseCosignerKey, parseWitnessKey } from '../src/format/cosignature.ts'
import { decodeBundle, encodeBundle } from '../src/format/entry-bundle.ts'
import { verifyConsistency } from '../src/format/merkle-proof.ts'
import { consistencyProof, inclusionProof, leafHash, treeRoot } from '../src/format/merkle-tree.ts'
import { parseNote, signNote, verifyNote } from '../src/format/note.ts'
import {
  COSIGNATURE_V1,
  generateNoteKey,
  noteKeyId,
  parseSignerKey,
  parseVerifierKey,
} from '../src/format/note-key.ts'
import { sameBytes } from '../src/format/sha256.ts'
import { parseTilePath, tileNodes, tilePath } from '../src/format/tile.ts'
import { formatTlogProof, parseTlogProof, verifyTlogProof } from '../src/format/tlog-proof.ts'
import { conformance } from './support/conformance.ts'

const TESSERA_KEY = 'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx'

interface Ed25519Vector {
  readonly number: number
  readonly key: string
  readonly sig: string
  readonly msg: string
  readonly flags: readonly string[] | null
}

describe('signed notes', () => {
  const pair = generateNoteKey('shop.example/audit')
  const signer = parseSignerKey(pair.signerKey)
  const verifier = parseVerifierKey(pair.verifierKey)
  const note = signNote('first line\n\nsecond line\n', [signer])

  test('are verified by the key that signed them, empty lines in the text and all', () => {
    assert.equal(verifyNote(note, [verifier]).text, 'first line\n\nsecond line\n')
    assert.equal(signer.verifierKey, pair.verifierKey)
  })

  test('are refused when any bit of the text changed', () => {
    const bytes = Buffer.from('first line\n\nsecond line\n')
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      assert.throws(
        () => verifyNote(note.replace('first line\n\nsecond line\n', changed.toString('latin1')), [verifier]),
        IntegrityError,
      )
    }
  })

  test('ignore signatures of keys nobody asked about', () => {
    const other = generateNoteKey('someone.else/log')
    const both = signNote('text\n', [parseSignerKey(other.signerKey), signer])
    assert.equal(verifyNote(both, [verifier]).signatures.length, 1)
    assert.throws(
      () => verifyNote(signNote('text\n', [parseSignerKey(other.signerKey)]), [verifier]),
      /not signed by a known key/,
    )
  })

  test('are refused when malformed in any of the usual ways', () => {
    for (const bad of [
      '',
      '\n',
      'text\n',
      'text\n\n',
      'text\n\n— a\n',
      'text\n\n- a AAAAAAA=\n',
      'text\n\n— a AAAA\n',
      'text\n\n— a+b AAAAAAAA\n',
      'text\r\n\n— a AAAAAAAA\n',
      'text\n\n— a AAAAAAA\n',
      note.trimEnd(),
      `${note}\n`,
    ]) {
      assert.throws(() => parseNote(bad), IntegrityError, JSON.stringify(bad))
    }
  })

  test('never show a signer key in an error', () => {
    const broken = pair.signerKey.replace(/\+[0-9a-f]{8}\+/, '+00000000+')
    assert.throws(
      () => parseSignerKey(broken),
      (error: unknown) => error instanceof ConfigError && !error.message.includes(broken.slice(-40)),
    )
  })

  test('a key name with a space or plus is refused', () => {
    for (const name of ['', 'a b', 'a+b', 'a\nb']) assert.throws(() => generateNoteKey(name), ConfigError)
  })
})

describe('Ed25519 edge cases of C2SP/CCTV', () => {
  const material = conformance('cctv-ed25519/ed25519')

  test('are all decided one way, and a signature with s beyond the group order is never accepted', {
    skip: material.skip,
  }, () => {
    const vectors = JSON.parse(
      readFileSync(join(material.path, 'ed25519vectors.json'), 'utf8'),
    ) as readonly Ed25519Vector[]
    assert.ok(vectors.length >= 900)
    const order = 2n ** 252n + 27742317777372353535851937790883648493n
    let accepted = 0
    for (const vector of vectors) {
      const publicKey = Buffer.from(vector.key, 'hex')
      const id = noteKeyId('edge', 1, publicKey).toString(16).padStart(8, '0')
      const text = `edge+${id}+${Buffer.concat([Uint8Array.of(1), publicKey]).toString('base64')}`
      const signature = Buffer.from(vector.sig, 'hex')
      const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`)
      let said = false
      try {
        said = parseVerifierKey(text).verify(vector.msg, signature)
      } catch (error) {
        assert.ok(error instanceof Error)
      }
      if (s >= order) assert.equal(said, false, `vector ${vector.number}`)
      // A residue of low order is only cancelled by the cofactored equation, which
      // RFC 8032 verifiers of Node do not use.
      if (vector.flags?.includes('low_order_residue') === true)
        assert.equal(said, false, `vector ${vector.number}`)
      if (said) accepted++
    }
    assert.ok(accepted > 0)
  })
})

describe("Tessera's own log", () => {
  const material = conformance('tessera-log/testdata/log')
  const read = (path: string): Buffer => readFileSync(join(material.path, path))
  const verifiers = [parseVerifierKey(TESSERA_KEY)]

  test('has 16 sizes whose checkpoints, tiles, entries and consistency proofs all verify', {
    skip: material.skip,
  }, async () => {
    const final = openCheckpoint(read('checkpoint').toString(), verifiers, 'example.com/log/testdata')
    assert.equal(final.size, 15n)
    for (let size = 1; size <= 15; size++) {
      const head = openCheckpoint(read(`checkpoint.${size}`).toString(), verifiers)
      assert.equal(head.size, BigInt(size))
      const nodes = tileNodes(tile => read(tilePath(tile)), size)
      assert.ok(sameBytes(await treeRoot(nodes, size), head.root))
      const entries = decodeBundle(read(tilePath({ level: 'entries', index: 0, width: size })), size)
      assert.deepEqual(encodeBundle(entries), read(`tile/entries/000.p/${size}`))
      for (const [index, entry] of entries.entries()) {
        const hashes = await inclusionProof(nodes, index, size)
        const text = formatTlogProof({
          index: BigInt(index),
          hashes,
          checkpoint: read(`checkpoint.${size}`).toString(),
        })
        assert.equal(verifyTlogProof(text, entry, verifiers).size, BigInt(size))
        assert.ok(sameBytes(await nodes.node(0, index), leafHash(entry)))
      }
      const whole = tileNodes(tile => read(tilePath(tile)), 15)
      const proof = await consistencyProof(whole, size, 15)
      assert.ok(verifyConsistency(BigInt(size), 15n, head.root, final.root, proof))
    }
  })
})

describe('checkpoints', () => {
  test('come back as they were written', () => {
    const pair = generateNoteKey('log.example')
    const root = Buffer.alloc(32, 7)
    const note = signCheckpoint({ origin: 'log.example', size: 12n, root }, [parseSignerKey(pair.signerKey)])
    const opened = openCheckpoint(note, [parseVerifierKey(pair.verifierKey)], 'log.example')
    assert.deepEqual([opened.origin, opened.size, [...opened.root]], ['log.example', 12n, [...root]])
    assert.throws(
      () => openCheckpoint(note, [parseVerifierKey(pair.verifierKey)], 'other.example'),
      /is of the log/,
    )
  })

  test('are refused with leading zeroes, a short root, empty extension lines or a size beyond 2^63', () => {
    const root = Buffer.alloc(32).toString('base64')
    for (const text of [
      `o\n01\n${root}\n`,
      `o\n-1\n${root}\n`,
      'o\n1\nAAAA\n',
      `o\n1\n${root}`,
      `o\n1\n${root}\n\n`,
      `o\n1\n${root}\nx\n\n`,
      `\n1\n${root}\n`,
      `o\n9999999999999999999\n${root}\n`,
      `o\n1\n${root.slice(0, -2)}B=\n`,
    ]) {
      assert.throws(() => parseCheckpoint(text), IntegrityError, JSON.stringify(text))
    }
    assert.deepEqual(parseCheckpoint(`o\n0\n${root}\nmore\n`).extensions, ['more'])
    assert.equal(formatCheckpoint(parseCheckpoint(`o\n0\n${root}\nmore\n`)), `o\n0\n${root}\nmore\n`)
  })
})

describe('cosignatures', () => {
  const pair = generateNoteKey('witness.example/w1', COSIGNATURE_V1)
  const cosigner = parseCosignerKey(pair.signerKey)
  const key = parseWitnessKey(pair.verifierKey)

  test('bind the text and the time', () => {
    const line = cosigner.cosign('text\n', 1_679_315_147n)
    assert.ok(key.verify('text\n', line.signature))
    assert.equal(key.time(line.signature), 1_679_315_147n)
    assert.ok(!key.verify('texd\n', line.signature))
    const later = Buffer.from(line.signature)
    later[7] = (later[7] ?? 0) ^ 1
    assert.ok(!key.verify('text\n', later))
    assert.ok(!key.verify('text\n', line.signature.subarray(8)))
  })

  test('the example of the specification is taken apart as its name and id say', () => {
    const { signatures } = parseNote(
      'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n' +
        '— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n' +
        '— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n',
    )
    assert.deepEqual(
      signatures.map(({ keyId, signature }) => [keyId.toString(16), signature.length]),
      [
        ['33de0ae', 64],
        ['8d66cf3f', 72],
      ],
    )
  })

  test('a log key is not a witness key, nor a witness key one of a log', () => {
    assert.throws(() => parseWitnessKey(generateNoteKey('log').verifierKey), ConfigError)
    assert.throws(() => parseSignerKey(pair.signerKey), ConfigError)
  })
})

describe('tile paths', () => {
  test('are those of C2SP tlog-tiles', () => {
    assert.equal(tilePath({ level: 0, index: 1_234_067, width: 256 }), 'tile/0/x001/x234/067')
    assert.equal(tilePath({ level: 'entries', index: 0, width: 17 }), 'tile/entries/000.p/17')
    for (const path of [
      'tile/0/x001/x234/067',
      'tile/entries/000.p/17',
      'tile/63/999',
      'tile/5/x001/000.p/255',
    ]) {
      const tile = parseTilePath(path)
      assert.ok(tile !== undefined)
      assert.equal(tilePath(tile), path)
    }
  })

  test('that nobody writes are not read', () => {
    for (const path of [
      'tile/64/000',
      'tile/00/000',
      'tile/0/000.p/0',
      'tile/0/000.p/256',
      'tile/0/x000/001',
      'tile/0/1',
      'tile/0/001/002',
      'tile/0/../000',
      'tile/0/000.p/01',
      '/tile/0/000',
      'tile/0/000/',
    ]) {
      assert.equal(parseTilePath(path), undefined, path)
    }
  })
})

describe('proofs', () => {
  test('that are malformed are refused', () => {
    const good = 'c2sp.org/tlog-proof@v1\nextra AAEC\nindex 0\n\nlog\n1\nx\n\n'
    assert.deepEqual([...(parseTlogProof(good).extra ?? [])], [0, 1, 2])
    for (const bad of [
      '',
      good.replace('v1', 'v2'),
      good.replace('index 0', 'index 00'),
      good.replace('index 0\n', ''),
      good.replace('extra AAEC', 'extra A'),
      good.replace('index 0\n', 'index 0\nAAAA\n'),
    ]) {
      assert.throws(() => parseTlogProof(bad), IntegrityError, bad)
    }
  })
})
