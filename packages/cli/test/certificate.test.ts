import assert from 'node:assert/strict'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { connect } from 'node:tls'
import {
  expiredCertificate,
  futureCertificate,
  newCertificate,
  type TestCertificate,
} from '../../gateway/test/tls.ts'
import { startBackend } from './backend.ts'
import { cliProcess, startGatewayProcess } from './cli.ts'

const folders: string[] = []
function newFolder(certificate: TestCertificate): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-certificate-'))
  folders.push(folder)
  writeFileSync(join(folder, 'postern.config.yaml'), 'tls: { cert: cert.pem, key: key.pem }\n')
  put(folder, certificate)
  return folder
}
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** As certificate tools do it: one file after the other, each at once. */
function put(folder: string, { cert, key }: TestCertificate): void {
  for (const [name, content] of [
    ['cert.pem', cert],
    ['key.pem', key],
  ] as const) {
    writeFileSync(join(folder, `${name}.new`), content)
    renameSync(join(folder, `${name}.new`), join(folder, name))
  }
}

async function shownAt(url: string): Promise<string> {
  const socket = connect({
    port: Number(new URL(url).port),
    host: '127.0.0.1',
    servername: 'localhost',
    rejectUnauthorized: false,
  })
  await once(socket, 'secureConnect')
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.destroy()
  return fingerprint256
}

const fingerprint = ({ cert }: TestCertificate): string => new X509Certificate(cert).fingerprint256

describe('the certificate of a running gateway', { timeout: 120_000 }, () => {
  for (const [name, made, warning] of [
    [
      'that has expired is a warning at the start',
      expiredCertificate,
      /the certificate cert\.pem expired on \d{4}-\d\d-\d\d: clients will refuse it\. Renew it/,
    ],
    [
      'that is not valid yet is a warning at the start',
      futureCertificate,
      /the certificate cert\.pem is valid only from 2099-01-01: clients will refuse it until then\. Check the clock/,
    ],
  ] as const)
    test(name, async () => {
      const backend = await startBackend()
      const gateway = await startGatewayProcess(['--to', backend.url], newFolder(made()))
      try {
        assert.match(gateway.output(), warning)
      } finally {
        await gateway.stop()
        await backend.close()
      }
    })

  for (const workers of ['1', '2'])
    test(`is renewed with its files, without a restart, with ${workers} worker(s)`, async () => {
      const first = newCertificate()
      const folder = newFolder(first)
      const backend = await startBackend()
      const gateway = await startGatewayProcess(['--to', backend.url, '--workers', workers], folder)
      try {
        assert.equal(await shownAt(gateway.url), fingerprint(first))
        writeFileSync(join(folder, 'key.pem'), 'nonsense')
        await gateway.says(/old one stays in force:\n.*tls: cert\.pem and key\.pem cannot be used/)
        assert.equal(await shownAt(gateway.url), fingerprint(first))
        const next = newCertificate()
        put(folder, next)
        // Every worker shows it, whichever takes the connection.
        for (let same = 0; same < 8; await wait(50))
          same = (await shownAt(gateway.url)) === fingerprint(next) ? same + 1 : 0
        assert.doesNotMatch(gateway.output(), /need a restart: tls/)
      } finally {
        await gateway.stop()
        await backend.close()
      }
    })

  test('is refused at the start when it does not fit its key, with what to give', async () => {
    const { cert, key } = newCertificate()
    const rsa = generateKeyPairSync('rsa', {
      modulusLength: 2_048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    })
    for (const [files, hint] of [
      [{ cert, key: newCertificate().key }, /hint: give the certificate with its chain/],
      // OpenSSL alone takes this pair, and every handshake fails.
      [{ cert, key: Buffer.from(rsa.privateKey) }, /hint: give the certificate with its chain/],
      [{ cert: Buffer.concat([newCertificate().cert, cert]), key }, /hint: .*put that one first/],
    ] as const) {
      const { code, stderr } = await cliProcess(['gateway', '--to', 'http://127.0.0.1:9'], newFolder(files))
      assert.equal(code, 2)
      assert.match(stderr, /^error: tls: cert\.pem and key\.pem cannot be used \(key values mismatch\)$/m)
      assert.match(stderr, hint)
    }
  })
})
