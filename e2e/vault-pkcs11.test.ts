// A holder that an HSM unlocks, over PKCS#11: SoftHSM, and the client of npm, compiled here once.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { systemRandom } from '@postern/core'
import { SocketLink } from '@postern/vault'
import { HolderStore, unlockKey } from '@postern/vault/holder'
import { type Pkcs11Module, pkcs11 } from '@postern/vault/kms'
import { installMissing } from '../test/install-services.ts'
import { SOURCE_FLAGS } from '../test/source-flags.ts'
import { until } from '../test/until.ts'

const LIBRARY = '/usr/lib/softhsm/libsofthsm2.so'
const isInstalled = (): boolean => existsSync(LIBRARY)
const PIN = '1234'
const E2E = fileURLToPath(new URL('.', import.meta.url))

/** As much of `pkcs11js` as the set-up uses besides what the vault does. */
interface Client extends Pkcs11Module {
  load(path: string): void
  C_Initialize(): void
  C_Finalize(): void
  C_GenerateKey(
    session: Buffer,
    mechanism: { readonly mechanism: number },
    template: readonly object[],
  ): Buffer
}
interface Pkcs11js
  extends Readonly<
    Record<
      | 'CKF_SERIAL_SESSION'
      | 'CKF_RW_SESSION'
      | 'CKU_USER'
      | 'CKM_AES_KEY_GEN'
      | 'CKA_TOKEN'
      | 'CKA_PRIVATE'
      | 'CKA_LABEL'
      | 'CKA_VALUE_LEN'
      | 'CKA_ENCRYPT'
      | 'CKA_DECRYPT'
      | 'CKA_SENSITIVE'
      | 'CKA_EXTRACTABLE',
      number
    >
  > {
  readonly PKCS11: new () => Client
}

let folder: string
let module: Client
let js: Pkcs11js

/** The addon is compiled by its install script, and everything here is installed without such scripts. */
function client(): Pkcs11js {
  const require = createRequire(import.meta.url)
  const addon = join(E2E, 'node_modules/pkcs11js/build/Release/pkcs11.node')
  if (!existsSync(addon)) {
    const npm = spawnSync('npm', ['rebuild', 'pkcs11js', '--foreground-scripts'], {
      cwd: E2E,
      encoding: 'utf8',
      timeout: 240_000,
    })
    assert.ok(existsSync(addon), `pkcs11js did not compile:\n${npm.stdout}${npm.stderr}`)
  }
  return require('pkcs11js') as Pkcs11js
}

function makeKey(token: string, label: string): void {
  const slot = module.C_GetSlotList(true).find(each => module.C_GetTokenInfo(each).label.trimEnd() === token)
  assert.ok(slot)
  const session = module.C_OpenSession(slot, js.CKF_SERIAL_SESSION | js.CKF_RW_SESSION)
  module.C_Login(session, js.CKU_USER, PIN)
  module.C_GenerateKey(session, { mechanism: js.CKM_AES_KEY_GEN }, [
    { type: js.CKA_TOKEN, value: true },
    { type: js.CKA_PRIVATE, value: true },
    { type: js.CKA_LABEL, value: label },
    { type: js.CKA_VALUE_LEN, value: 32 },
    { type: js.CKA_ENCRYPT, value: true },
    { type: js.CKA_DECRYPT, value: true },
    { type: js.CKA_SENSITIVE, value: true },
    { type: js.CKA_EXTRACTABLE, value: false },
  ])
  module.C_CloseSession(session)
}

before(() => {
  if (!isInstalled())
    installMissing([{ name: 'SoftHSM', variable: 'PATH', packages: ['softhsm2'], isInstalled }])
  folder = mkdtempSync(join(tmpdir(), 'vault-hsm-'))
  mkdirSync(join(folder, 'tokens'))
  const configuration = join(folder, 'softhsm2.conf')
  writeFileSync(configuration, `directories.tokendir = ${join(folder, 'tokens')}\n`)
  process.env['SOFTHSM2_CONF'] = configuration
  const made = spawnSync(
    'softhsm2-util',
    ['--init-token', '--free', '--label', 'holder-1', '--pin', PIN, '--so-pin', '5678'],
    { encoding: 'utf8', timeout: 30_000 },
  )
  assert.equal(made.status, 0, made.stderr)
  js = client()
  module = new js.PKCS11()
  module.load(LIBRARY)
  module.C_Initialize()
  makeKey('holder-1', 'postern')
  makeKey('holder-1', 'another')
  for (const _ of [1, 2]) makeKey('holder-1', 'twice')
})
after(() => {
  module?.C_Finalize()
  if (folder !== undefined) rmSync(folder, { recursive: true })
})

const service = (key = 'postern', pin = PIN, token = 'holder-1') =>
  pkcs11({ module, token, key, pin: () => pin })

describe('a holder that an HSM unlocks', () => {
  it('gets the same key again, and keeps only what the HSM sealed', async () => {
    const store = HolderStore.open(join(folder, 'holder.db'))
    try {
      const unlock = { kind: 'service', service: service() } as const
      const key = Buffer.from(await unlockKey(store, unlock, systemRandom))
      assert.deepEqual(Buffer.from(await unlockKey(store, unlock, systemRandom)), key)
      assert.equal(Buffer.from(store.setting('unlock') ?? []).includes(key), false)
    } finally {
      store.close()
    }
  })

  it('does not start with another key of the same HSM, nor with what was changed', async () => {
    const wrapped = await service().wrap(Buffer.alloc(32, 7))
    await assert.rejects(service('another').unwrap(wrapped), { code: 'POSTERN_CREDENTIAL' })
    for (const at of [0, 20, wrapped.length - 1]) {
      const changed = Buffer.from(wrapped)
      changed[at] = (changed[at] ?? 0) ^ 1
      await assert.rejects(service().unwrap(changed), { code: 'POSTERN_CREDENTIAL' })
    }
    await assert.rejects(service().unwrap(wrapped.subarray(1)), { code: 'POSTERN_CREDENTIAL' })
    assert.deepEqual(Buffer.from(await service().unwrap(wrapped)), Buffer.alloc(32, 7))
  })

  it('runs from the code of docs/vault-holders.md as printed', async test => {
    const page = readFileSync(join(E2E, '../docs/vault-holders.md'), 'utf8')
    const code = /^```js\n(.*?C_Initialize.*?)^```$/ms.exec(page)?.[1]
    assert.ok(code)
    // In here the addon of e2e/ and the workspace are found.
    const place = mkdtempSync(join(E2E, '.hsm-'))
    test.after(() => rmSync(place, { recursive: true }))
    mkdirSync(join(place, 'h1'))
    const operator = join(folder, 'operator.sock')
    writeFileSync(
      join(place, 'h1/holder.json'),
      JSON.stringify({ id: 1, data: 'holder.db', operator, services: {}, peers: {} }),
    )
    writeFileSync(join(place, 'holder.mjs'), code)
    const child = spawn(process.execPath, [...SOURCE_FLAGS, 'holder.mjs'], {
      cwd: place,
      env: { ...process.env, HSM_PIN: PIN },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let output = ''
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    const ended = new Promise(resolve => child.once('close', resolve))
    const link = new SocketLink(1, { unix: operator })
    try {
      await until(() => link.isUp || child.exitCode !== null)
      assert.equal(child.exitCode, null, output)
      const status = (await link.request({ op: 'status' }, 30_000)) as Readonly<Record<string, unknown>>
      assert.equal(status['holder'], 1)
    } finally {
      link.close()
      child.kill('SIGKILL')
      await ended
    }
  })

  it('says what to give when the token, the key or the PIN is not there, without the PIN', async () => {
    for (const [made, code, text] of [
      [service('postern', '9999'), 'POSTERN_CREDENTIAL', /PIN/],
      [service('nobody'), 'POSTERN_CONFIG', /no secret key/],
      [service('twice'), 'POSTERN_CONFIG', /two keys/],
      [service('postern', PIN, 'elsewhere'), 'POSTERN_CONFIG', /no token/],
    ] as const)
      await assert.rejects(made.wrap(Buffer.alloc(32)), (error: Error & { code?: string }) => {
        assert.equal(error.code, code)
        assert.match(error.message, text)
        assert.equal(error.message.includes('9999'), false)
        return true
      })
  })
})
