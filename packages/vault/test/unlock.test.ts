import assert from 'node:assert/strict'
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { systemRandom } from '@postern/core'
import { HolderStore } from '../src/holder/holder-store.ts'
import { changeUnlock, type Unlock, unlockKey } from '../src/holder/unlock.ts'
import { unlockFrom } from '../src/holder/unlock-options.ts'
import { awsSignature } from '../src/kms/aws-signature.ts'

const folder = mkdtempSync(join(tmpdir(), 'vault-unlock-'))
const servers: Server[] = []
after(() => {
  for (const server of servers) server.close()
  rmSync(folder, { recursive: true })
})

const MASTER = randomBytes(32)
const seal = (plain: Buffer, context: string): Buffer => {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', MASTER, nonce).setAAD(Buffer.from(context))
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}
const open = (sealed: Buffer, context: string): Buffer => {
  const cipher = createDecipheriv('aes-256-gcm', MASTER, sealed.subarray(0, 12), { authTagLength: 16 })
  cipher.setAAD(Buffer.from(context)).setAuthTag(sealed.subarray(-16))
  return Buffer.concat([cipher.update(sealed.subarray(12, -16)), cipher.final()])
}

/** A stand-in of a key service: answers JSON, or a status. */
async function standIn(
  answer: (request: IncomingMessage, body: Record<string, unknown>, text: string) => object | number,
): Promise<string> {
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    let result: object | number
    try {
      result = answer(request, JSON.parse(text) as Record<string, unknown>, text)
    } catch {
      result = 400
    }
    response.statusCode = typeof result === 'number' ? result : 200
    response.end(typeof result === 'number' ? 's3cret detail' : JSON.stringify(result))
  })
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
}

const b64 = (bytes: Buffer): string => bytes.toString('base64')
const unb64 = (text: unknown): Buffer => Buffer.from(String(text), 'base64')

describe('Signature Version 4', () => {
  it('signs the example "get-vanilla" of the AWS test suite as published', () => {
    const headers = awsSignature(
      {
        method: 'GET',
        path: '/',
        headers: { host: 'example.amazonaws.com' },
        body: '',
        region: 'us-east-1',
        service: 'service',
        time: Date.UTC(2015, 7, 30, 12, 36),
      },
      { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
    )
    assert.match(
      headers['authorization'] ?? '',
      /Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31$/,
    )
  })
})

const services: Readonly<Record<string, (isAllowed: () => boolean) => Promise<Unlock>>> = {
  'AWS KMS': async isAllowed => {
    const credentials = { accessKeyId: 'AKID', secretAccessKey: 'secret', sessionToken: 'session' }
    const endpoint = await standIn((request, body, text) => {
      const stamp = String(request.headers['x-amz-date'])
      const [, year, month, day, hour, minute, second] =
        /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(stamp) ?? []
      const { host, authorization, ...rest } = request.headers
      const signed = /SignedHeaders=([^,]+)/.exec(String(authorization))?.[1]?.split(';') ?? []
      const headers = Object.fromEntries(
        signed
          .filter(name => !name.startsWith('x-amz-date') && name !== 'x-amz-security-token')
          .map(name => [name, String(name === 'host' ? host : rest[name])]),
      )
      const expected = awsSignature(
        {
          method: 'POST',
          path: '/',
          headers,
          body: text,
          region: 'eu-west-1',
          service: 'kms',
          time: Date.UTC(
            Number(year),
            Number(month) - 1,
            Number(day),
            Number(hour),
            Number(minute),
            Number(second),
          ),
        },
        credentials,
      )
      if (!isAllowed() || authorization !== expected['authorization'] || body['KeyId'] !== 'alias/holder-1')
        return 403
      const context = JSON.stringify(body['EncryptionContext'])
      return request.headers['x-amz-target'] === 'TrentService.Encrypt'
        ? { CiphertextBlob: b64(seal(unb64(body['Plaintext']), context)) }
        : { Plaintext: b64(open(unb64(body['CiphertextBlob']), context)) }
    })
    return unlockFrom(
      { awsKms: 'eu-west-1/alias/holder-1', kmsEndpoint: endpoint },
      { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'secret', AWS_SESSION_TOKEN: 'session' },
      folder,
    )
  },
  'GCP KMS': async isAllowed => {
    const key = 'projects/p/locations/l/keyRings/r/cryptoKeys/k'
    const endpoint = await standIn((request, body) => {
      if (!isAllowed() || request.headers.authorization !== 'Bearer t') return 401
      const context = String(body['additionalAuthenticatedData'])
      if (request.url === `/v1/${key}:encrypt`)
        return { ciphertext: b64(seal(unb64(body['plaintext']), context)) }
      return request.url === `/v1/${key}:decrypt`
        ? { plaintext: b64(open(unb64(body['ciphertext']), context)) }
        : 404
    })
    return unlockFrom({ gcpKms: key, kmsEndpoint: endpoint }, { GOOGLE_OAUTH_ACCESS_TOKEN: 't' }, folder)
  },
  'HashiCorp Vault transit': async isAllowed => {
    const address = await standIn((request, body) => {
      if (!isAllowed() || request.headers['x-vault-token'] !== 't') return 403
      if (request.url === '/v1/transit/encrypt/holder-1')
        return { data: { ciphertext: `vault:v1:${b64(seal(unb64(body['plaintext']), ''))}` } }
      return { data: { plaintext: b64(open(unb64(String(body['ciphertext']).slice(9)), '')) } }
    })
    return unlockFrom({ vaultTransit: `${address}/transit/holder-1` }, { VAULT_TOKEN: 't' }, folder)
  },
}

let sequence = 0
const fresh = (): HolderStore => HolderStore.open(join(folder, `holder-${sequence++}.db`))

for (const [name, make] of Object.entries(services)) {
  describe(`a holder unlocked by ${name}`, () => {
    it('gets the same key again, keeps only the wrapped one, and does not start when refused', async () => {
      let isAllowed = true
      const unlock = await make(() => isAllowed)
      const store = fresh()
      const key = await unlockKey(store, unlock, systemRandom)
      assert.deepEqual(Buffer.from(await unlockKey(store, unlock, systemRandom)), Buffer.from(key))
      assert.equal(Buffer.from(store.setting('unlock') ?? []).includes(Buffer.from(key)), false)
      isAllowed = false
      await assert.rejects(
        unlockKey(store, unlock, systemRandom),
        (error: Error & { code?: string }) =>
          error.code === 'POSTERN_CREDENTIAL' && !error.message.includes('s3cret'),
      )
      store.close()
    })

    it('says so when it cannot be reached or answers nonsense', async () => {
      const store = fresh()
      const unlock = await make(() => true)
      assert.ok(unlock.kind === 'service')
      await unlockKey(store, unlock, systemRandom)
      const broken = { ...unlock.service, unwrap: async () => new Uint8Array(5) }
      await assert.rejects(unlockKey(store, { kind: 'service', service: broken }, systemRandom), {
        code: 'POSTERN_INTEGRITY',
      })
      store.close()
    })
  })
}

describe('what unlocks a holder, on a command line', () => {
  const cases: readonly (readonly [string, object, Record<string, string>, RegExp])[] = [
    ['nothing', {}, {}, /nothing to unlock with/],
    ['two of them', { keyFile: 'k', awsKms: 'eu-west-1/k' }, {}, /named twice/],
    ['AWS without a region', { awsKms: 'alias' }, {}, /--aws-kms: is malformed/],
    ['AWS without credentials', { awsKms: 'eu-west-1/alias/k' }, {}, /AWS_ACCESS_KEY_ID: is missing/],
    ['a malformed key of GCP', { gcpKms: 'projects/p' }, {}, /--gcp-kms: is malformed/],
    ['transit without a mount', { vaultTransit: 'https://v:8200/k' }, {}, /--vault-transit: is malformed/],
    ['transit without a token', { vaultTransit: 'https://v:8200/transit/k' }, {}, /VAULT_TOKEN: is missing/],
  ]
  for (const [name, options, environment, message] of cases)
    it(`${name} is an error that says what to give`, () => {
      assert.throws(() => unlockFrom(options, environment, folder), message)
    })

  it('the passphrase comes from the environment only', () => {
    const unlock = unlockFrom({}, { POSTERN_HOLDER_PASSPHRASE: 'correct horse' }, folder)
    assert.deepEqual(unlock, { kind: 'passphrase', passphrase: 'correct horse' })
  })
})

describe('a holder’s unlocking', () => {
  it('by passphrase: the wrong one does not, and another kind is told apart', async () => {
    const store = fresh()
    const key = await unlockKey(store, { kind: 'passphrase', passphrase: 'correct horse' }, systemRandom)
    assert.deepEqual(
      await unlockKey(store, { kind: 'passphrase', passphrase: 'correct horse' }, systemRandom),
      key,
    )
    await assert.rejects(
      unlockKey(store, { kind: 'passphrase', passphrase: 'correct horsf' }, systemRandom),
      { code: 'POSTERN_CREDENTIAL' },
    )
    await assert.rejects(unlockKey(store, { kind: 'file', path: 'x' }, systemRandom), {
      code: 'POSTERN_CONFIG',
    })
    await assert.rejects(unlockKey(fresh(), { kind: 'passphrase', passphrase: 'short' }, systemRandom), {
      code: 'POSTERN_CONFIG',
    })
    store.close()
  })

  it('by a file: one that others can read, or that is not a key, is refused', async () => {
    const path = join(folder, 'key')
    writeFileSync(path, randomBytes(32).toString('base64url'), { mode: 0o644 })
    await assert.rejects(unlockKey(fresh(), { kind: 'file', path }, systemRandom), /other users/)
    const short = join(folder, 'short')
    writeFileSync(short, 'abc', { mode: 0o600 })
    await assert.rejects(unlockKey(fresh(), { kind: 'file', path: short }, systemRandom), /32 bytes/)
    await assert.rejects(unlockKey(fresh(), { kind: 'file', path: join(folder, 'absent') }, systemRandom), {
      code: 'POSTERN_CONFIG',
    })
  })

  it('changes from one to the other, with its parts, and the old one opens no more', async () => {
    const store = fresh()
    const before: Unlock = { kind: 'passphrase', passphrase: 'correct horse' }
    const secret = systemRandom.bytes(32)
    store.addPart(0, 'b', secret, await unlockKey(store, before, systemRandom))
    const to: Unlock = { kind: 'passphrase', passphrase: 'battery staple' }
    await changeUnlock(store, before, to, systemRandom)
    await assert.rejects(unlockKey(store, before, systemRandom), { code: 'POSTERN_CREDENTIAL' })
    const keys = store.keys(1, await unlockKey(store, to, systemRandom))
    assert.deepEqual(Buffer.from(keys.secret(0, 'b') ?? []), Buffer.from(secret))
    store.close()
  })
})
