import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { verifyConsistency, verifyInclusion } from '../src/format/merkle-proof.ts'
import {
  consistencyProof,
  EMPTY_ROOT,
  inclusionProof,
  leafHash,
  type NodeSource,
  nodeHash,
  treeRoot,
} from '../src/format/merkle-tree.ts'
import type { Hash } from '../src/format/sha256.ts'
import { conformance, jsonUnder } from './support/conformance.ts'

interface InclusionVector {
  readonly leafIdx: number
  readonly treeSize: number
  readonly root: string
  readonly leafHash: string
  readonly proof: readonly string[] | null
  readonly wantErr: boolean
}

interface ConsistencyVector {
  readonly size1: number
  readonly size2: number
  readonly root1: string
  readonly root2: string
  readonly proof: readonly string[] | null
  readonly wantErr: boolean
}

const bytes = (text: string | null): Buffer => Buffer.from(text ?? '', 'base64')
const leaves = (count: number): Hash[] =>
  Array.from({ length: count }, (_, i) => leafHash(Buffer.from(`entry ${i}`)))

/** A tree in memory, straight from the definition. */
function definition(hashes: readonly Hash[]): NodeSource {
  const node = (level: number, index: number): Hash =>
    level === 0
      ? (hashes[index] ?? assert.fail(`no leaf ${index}`))
      : nodeHash(node(level - 1, index * 2), node(level - 1, index * 2 + 1))
  return { node }
}

describe('Merkle proofs', () => {
  const material = conformance('merkle/testdata')

  test('agree with the inclusion vectors of transparency-dev/merkle', { skip: material.skip }, () => {
    const vectors = jsonUnder<InclusionVector>(`${material.path}/inclusion`)
    assert.ok(vectors.length >= 98)
    for (const { file, value } of vectors) {
      const said = verifyInclusion(
        BigInt(value.leafIdx),
        BigInt(value.treeSize),
        bytes(value.leafHash),
        (value.proof ?? []).map(bytes),
        bytes(value.root),
      )
      assert.equal(said, !value.wantErr, file)
    }
  })

  test('agree with the consistency vectors, except that an empty tree is consistent with any (C2SP tlog-witness)', {
    skip: material.skip,
  }, () => {
    const vectors = jsonUnder<ConsistencyVector>(`${material.path}/consistency`)
    assert.ok(vectors.length >= 98)
    for (const { file, value } of vectors) {
      const said = verifyConsistency(
        BigInt(value.size1),
        BigInt(value.size2),
        bytes(value.root1),
        bytes(value.root2),
        (value.proof ?? []).map(bytes),
      )
      const extendsNothing = value.size2 > 0 || value.root1 === value.root2
      const fromEmpty = value.size1 === 0 && extendsNothing && (value.proof ?? []).length === 0
      assert.equal(said, fromEmpty || !value.wantErr, file)
    }
  })

  test('show every leaf of every tree up to 40 leaves, and nothing else', async () => {
    const all = leaves(40)
    const source = definition(all)
    for (let size = 1; size <= 40; size++) {
      const root = await treeRoot(source, size)
      for (let index = 0; index < size; index++) {
        const proof = await inclusionProof(source, index, size)
        assert.ok(verifyInclusion(BigInt(index), BigInt(size), all[index] as Hash, proof, root))
        assert.ok(!verifyInclusion(BigInt(index), BigInt(size), all[(index + 1) % 40] as Hash, proof, root))
      }
    }
  })

  test('show that every tree extends every smaller one, and refuse any other root', async () => {
    const source = definition(leaves(40))
    for (let size = 1; size <= 40; size++) {
      const root = await treeRoot(source, size)
      for (let old = 1; old <= size; old++) {
        const oldRoot = await treeRoot(source, old)
        const proof = await consistencyProof(source, old, size)
        assert.ok(verifyConsistency(BigInt(old), BigInt(size), oldRoot, root, proof), `${old} to ${size}`)
        assert.ok(!verifyConsistency(BigInt(old), BigInt(size), EMPTY_ROOT, root, proof))
      }
    }
  })

  test('do not hold when any bit of any hash is turned', async () => {
    const all = leaves(21)
    const source = definition(all)
    const root = await treeRoot(source, 21)
    await fc.assert(
      fc.asyncProperty(fc.nat(20), fc.nat(255), fc.nat(4), async (index, bit, at) => {
        const proof = (await inclusionProof(source, index, 21)).map(hash => Buffer.from(hash))
        const hash = proof[at % proof.length] as Buffer
        hash[bit >> 3] = (hash[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        assert.ok(!verifyInclusion(BigInt(index), 21n, all[index] as Hash, proof, root))
      }),
    )
  })
})
