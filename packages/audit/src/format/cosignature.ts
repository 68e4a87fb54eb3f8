import { ConfigError } from '@postern/core'
import type { NoteSignature, NoteVerifier } from './note.ts'
import { COSIGNATURE_V1, parseEd25519Key, parseEd25519Signer } from './note-key.ts'

function cosignedMessage(text: string, timestamp: bigint): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${timestamp}\n${text}`)
}

/** Can cosign checkpoints as a witness (C2SP tlog-cosignature, Ed25519). */
export interface Cosigner {
  readonly name: string
  readonly keyId: number
  readonly verifierKey: string
  /** @param time POSIX seconds */
  cosign(text: string, time: bigint): NoteSignature
}

/**
 * A cosigner from a signer key of type `0x04`.
 * @throws ConfigError when it is malformed or of another type
 */
export function parseCosignerKey(text: string, place = 'witness key'): Cosigner {
  const key = parseEd25519Signer(text, place)
  if (key.type !== COSIGNATURE_V1)
    throw new ConfigError({
      place,
      problem: 'is not a witness key (type 4)',
      hint: 'make one with generateNoteKey(name, COSIGNATURE)',
    })
  return {
    name: key.name,
    keyId: key.keyId,
    verifierKey: key.verifierKey,
    cosign(note, time) {
      const signature = Buffer.alloc(72)
      signature.writeBigUInt64BE(time)
      signature.set(key.sign(cosignedMessage(note, time)), 8)
      return { name: key.name, keyId: key.keyId, signature }
    },
  }
}

/** A witness's public key, as relying parties know it. */
export interface WitnessKey extends NoteVerifier {
  /** POSIX seconds at which a cosignature was made; meaningful once `verify` said yes. */
  time(signature: Uint8Array): bigint
}

/**
 * Reads a witness's verifier key (type `0x04`).
 * @throws ConfigError when it is malformed or of another type
 */
export function parseWitnessKey(text: string, place = 'witness key'): WitnessKey {
  const key = parseEd25519Key(text, place)
  if (key.type !== COSIGNATURE_V1)
    throw new ConfigError({
      place,
      problem: 'is not a witness key (type 4)',
      hint: 'give the key that the witness prints',
    })
  const time = (signature: Uint8Array): bigint => Buffer.from(signature).readBigUInt64BE(0)
  return {
    name: key.name,
    keyId: key.keyId,
    time,
    verify(note, signature) {
      if (signature.length !== 72 || time(signature) > 2n ** 63n - 1n) return false
      return key.verify(cosignedMessage(note, time(signature)), signature.subarray(8))
    },
  }
}
