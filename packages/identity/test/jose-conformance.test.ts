import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { conformance } from '../../../test/conformance.ts'
import { openCompactJwe } from '../src/verify/compact-jwe.ts'
import { isSignedBy, parseCompactJws } from '../src/verify/compact-jws.ts'
import { ALGORITHMS, type JwsAlgorithm } from '../src/verify/jws-algorithm.ts'
import { keysOf, matching } from '../src/verify/key-set.ts'
import { DEVIATIONS } from './jose-deviations.ts'

interface Vector {
  readonly tcId: number
  readonly comment: string
  /** A text, or an object in the JSON serialisation. */
  readonly jws?: unknown
  readonly jwe?: unknown
  readonly pt?: string
  readonly enc?: string
  readonly result: 'valid' | 'invalid' | 'acceptable'
}
interface Group {
  readonly comment?: string
  readonly public?: Readonly<Record<string, unknown>>
  readonly private?: Readonly<Record<string, unknown>>
  readonly tests: readonly Vector[]
}

const { path: folder, skip } = conformance('jose')

function groupsOf(name: string): readonly Group[] {
  const file = JSON.parse(readFileSync(join(folder, name), 'utf8')) as {
    readonly testGroups: readonly Group[]
  }
  return file.testGroups
}

const ALL = [...ALGORITHMS.keys()] as JwsAlgorithm[]

function textOf(token: unknown): string {
  return typeof token === 'string' ? token : JSON.stringify(token)
}

/** Whether our verifier takes a token with the keys of a group, as a deployment would use it. */
function isVerified(token: string, group: Group): boolean {
  const given = group.public ?? group.private ?? {}
  const keys = keysOf('keys' in given ? given : { keys: [given] }, ALL)
  const jws = parseCompactJws(token)
  if (jws === undefined) return false
  const key = matching(keys, jws.header.kid, jws.header.alg)
  return key !== undefined && isSignedBy(jws, key)
}

/**
 * The keys' own algorithms are pinned; what a key does not name is taken from the
 * vector, as an operator would configure it.
 */
async function isOpened(vector: Vector, group: Group): Promise<boolean> {
  const token = textOf(vector.jwe)
  const jwk = group.private ?? {}
  const named = typeof jwk['alg'] === 'string' ? jwk['alg'] : undefined
  const header = headerOf(token)
  const algorithm = /^A\d+(?:GCM|CBC-HS\d+)$/.test(named ?? '') ? 'dir' : (named ?? String(header['alg']))
  try {
    const plain = await openCompactJwe(token, {
      jwk,
      algorithm,
      encryption: vector.enc ?? String(header['enc']),
    })
    return vector.pt === undefined || Buffer.from(plain).toString('hex') === vector.pt
  } catch {
    return false
  }
}

function headerOf(token: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as Readonly<
      Record<string, unknown>
    >
  } catch {
    return {}
  }
}

/**
 * Every vector is as its authors say, or is in the list of deviations with its reason;
 * and no reason stands there for nothing.
 */
async function check(file: string): Promise<void> {
  const explained = new Map(
    DEVIATIONS.filter(one => one.file === file).flatMap(one => one.ids.map(id => [id, one] as const)),
  )
  const wrong: string[] = []
  let count = 0
  for (const group of groupsOf(file)) {
    for (const vector of group.tests) {
      count++
      const { tcId, result, comment } = vector
      const accepted =
        vector.jwe === undefined ? isVerified(textOf(vector.jws), group) : await isOpened(vector, group)
      const deviation = explained.get(tcId)
      const we = accepted ? 'accept' : 'refuse'
      if (we !== (deviation?.we ?? said(result)))
        wrong.push(`${tcId} ${group.comment ?? ''}/${comment}: ${result}, we ${we}`)
      if (deviation !== undefined && we === said(result)) wrong.push(`${tcId} is not a deviation`)
    }
  }
  assert.deepEqual(wrong, [])
  assert.ok(count > 0)
}

/** What the authors of a vector want done with it. */
function said(result: string): 'accept' | 'refuse' {
  return result === 'valid' ? 'accept' : 'refuse'
}

describe('Wycheproof through our verifier', { timeout: 30_000 }, () => {
  if (skip !== false) {
    test('are on this machine', context => context.skip(skip))
    return
  }
  for (const file of [
    'json_web_signature_test.json',
    'json_web_encryption_test.json',
    'json_web_key_test.json',
    'json_web_crypto_test.json',
  ])
    test(file, () => check(file))
})
