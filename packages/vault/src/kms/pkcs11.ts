import { ConfigError, CredentialError, type RandomSource, StoreError, systemRandom } from '@postern/core'
import type { KeyService } from './key-service.ts'

/** A handle of PKCS#11, as `pkcs11js` has it. */
type Handle = Buffer

/** As much of an initialized `PKCS11` object of the npm package `pkcs11js` as is used. */
export interface Pkcs11Module {
  C_GetSlotList(tokenPresent?: boolean): Handle[]
  C_GetTokenInfo(slot: Handle): { readonly label: string }
  C_OpenSession(slot: Handle, flags: number): Handle
  C_CloseSession(session: Handle): void
  C_Login(session: Handle, userType: number, pin?: string): void
  C_Logout(session: Handle): void
  C_FindObjectsInit(
    session: Handle,
    template: { readonly type: number; readonly value: number | string }[],
  ): void
  C_FindObjects(session: Handle, maxObjectCount: number): Handle[]
  C_FindObjectsFinal(session: Handle): void
  C_EncryptInit(session: Handle, mechanism: Pkcs11Mechanism, key: Handle): void
  C_Encrypt(session: Handle, inData: Buffer, outData: Buffer): Buffer
  C_DecryptInit(session: Handle, mechanism: Pkcs11Mechanism, key: Handle): void
  C_Decrypt(session: Handle, inData: Buffer, outData: Buffer): Buffer
}

/** AES-GCM and its parameters, as `pkcs11js` takes them. */
interface Pkcs11Mechanism {
  readonly mechanism: number
  readonly parameter: {
    readonly type: number
    readonly iv: Buffer
    readonly ivBits: number
    readonly tagBits: number
  }
}

/** The module, token and key of an HSM. */
export interface Pkcs11Options {
  /** `new PKCS11()` of `pkcs11js`, after `load` and `C_Initialize`. */
  readonly module: Pkcs11Module
  /** Label of the token. */
  readonly token: string
  /** Label of an AES-256 key on it that may encrypt and decrypt and never leaves it. One key per holder. */
  readonly key: string
  /** PIN of the token's user; called once for each `wrap` and `unwrap`. */
  readonly pin: () => string
  readonly random?: RandomSource
}

/** Numbers of PKCS#11 2.40, appendix A and `pkcs11t.h`. */
const CKU_USER = 1
const CKF_SERIAL_SESSION = 4
const CKA_CLASS = 0
const CKA_LABEL = 3
const CKO_SECRET_KEY = 4
const CKM_AES_GCM = 0x1087
/** `CK_PARAMS_AES_GCM_v240` of `pkcs11js`: the parameters with `ulIvBits`, as PKCS#11 2.40 has them. */
const GCM_PARAMETERS = 7
const IV_BYTES = 12
const TAG_BYTES = 16
const KEY_BYTES = 32

/**
 * An AES key of an HSM as what unlocks a holder, over PKCS#11 (`CKM_AES_GCM`). The client is handed in,
 * since it is an addon that is compiled where it is installed. What is stored is IV, ciphertext and tag.
 * @throws ConfigError when token or key are not there, CredentialError for a wrong PIN or another key,
 *   StoreError for everything else the HSM says
 */
export function pkcs11({ module, token, key: label, pin, random = systemRandom }: Pkcs11Options): KeyService {
  const name = `pkcs11 ${token} ${label}`
  const missing = (what: string, hint: string): ConfigError =>
    new ConfigError({ place: name, problem: `there is no ${what} of this label`, hint })
  /** Runs one operation in a session of its own: a login lasts for no longer. */
  const withKey = (work: (session: Handle, key: Handle) => Buffer): Buffer => {
    const slot = attempt(name, () =>
      module.C_GetSlotList(true).find(each => module.C_GetTokenInfo(each).label.trimEnd() === token),
    )
    if (slot === undefined) throw missing('token', 'softhsm2-util --show-slots, or your HSM, lists them')
    const session = attempt(name, () => module.C_OpenSession(slot, CKF_SERIAL_SESSION))
    try {
      attempt(name, () => module.C_Login(session, CKU_USER, pin()))
      const keys = attempt(name, () => {
        module.C_FindObjectsInit(session, [
          { type: CKA_CLASS, value: CKO_SECRET_KEY },
          { type: CKA_LABEL, value: label },
        ])
        const found = module.C_FindObjects(session, 2)
        module.C_FindObjectsFinal(session)
        return found
      })
      const [key, second] = keys
      if (key === undefined) throw missing('secret key', 'pkcs11-tool --keygen --key-type aes:32 makes one')
      if (second !== undefined)
        throw new ConfigError({ place: name, problem: 'two keys have this label; give one key per holder' })
      return attempt(name, () => work(session, key))
    } finally {
      attempt(name, () => module.C_CloseSession(session))
    }
  }
  return {
    name,
    wrap: async secret =>
      withKey((session, key) => {
        const iv = Buffer.from(random.bytes(IV_BYTES))
        module.C_EncryptInit(session, gcm(iv), key)
        const sealed = module.C_Encrypt(session, Buffer.from(secret), Buffer.alloc(secret.length + TAG_BYTES))
        return Buffer.concat([iv, sealed])
      }),
    unwrap: async wrapped => {
      const bytes = Buffer.from(wrapped)
      if (bytes.length !== IV_BYTES + KEY_BYTES + TAG_BYTES) throw wrongKey(name)
      return withKey((session, key) => {
        module.C_DecryptInit(session, gcm(bytes.subarray(0, IV_BYTES)), key)
        // Some modules ask for room for the tag as well.
        const room = Buffer.alloc(KEY_BYTES + TAG_BYTES)
        return Buffer.from(module.C_Decrypt(session, bytes.subarray(IV_BYTES), room))
      })
    },
  }
}

function gcm(iv: Buffer): Pkcs11Mechanism {
  return {
    mechanism: CKM_AES_GCM,
    parameter: { type: GCM_PARAMETERS, iv: Buffer.from(iv), ivBits: IV_BYTES * 8, tagBits: TAG_BYTES * 8 },
  }
}

/** What the HSM says, as an error of ours: its own text names the function and a code, never a secret. */
function attempt<T>(name: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : ''
    if (/CKR_PIN_/.test(message))
      throw new CredentialError(`${name}: the HSM rejects this PIN; give the PIN of the token's user`)
    if (/CKR_(ENCRYPTED_DATA|AEAD_DECRYPT|GENERAL_ERROR|DATA_INVALID)/.test(message)) throw wrongKey(name)
    const code = /CKR_[A-Z_]+/.exec(message)?.[0] ?? 'an unknown error'
    throw new StoreError(`the HSM answers ${code}`, { store: name, retryable: false, cause })
  }
}

function wrongKey(name: string): CredentialError {
  return new CredentialError(`${name}: it does not unlock with this key; is it the one it was wrapped with?`)
}
