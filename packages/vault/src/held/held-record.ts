import { type Bytes, concat, equalBytes, hmac, randomBytes, utf8, type WebKey } from './bytes.ts'
import { HeldError } from './held-error.ts'

/** Where a value lives; the same as on the server, where it was read from. */
export interface HeldContext {
  readonly tenant: string
  readonly table: string
  readonly column: string
  readonly row: readonly string[]
  readonly version: number
}

/** A key of a space, in one epoch. */
export interface SpaceKey {
  readonly space: string
  readonly epoch: number
  /** 32 bytes. */
  readonly key: Bytes
}

const HEADER = 36
const TAG = 16
const LABEL = utf8('postern vault record 1')

/** Seals a value as record format v1 (suite 3) under a space key: 52 bytes longer than it. */
export async function sealHeld(space: SpaceKey, context: HeldContext, plaintext: Uint8Array): Promise<Bytes> {
  return sealHeldWith(space, context, plaintext, randomBytes(16))
}

/** `sealHeld` with the salt given: for vectors. A salt must never be used twice. */
export async function sealHeldWith(
  space: SpaceKey,
  context: HeldContext,
  plaintext: Uint8Array,
  salt: Bytes,
): Promise<Bytes> {
  const encoded = encodeHeldContext(context)
  const { key, commitment, nonce } = await material(space, encoded, salt)
  const header = concat(Uint8Array.of(0xb7, 1, 3, space.epoch), salt, commitment)
  const parameters = { name: 'AES-GCM', iv: nonce, additionalData: concat(header, encoded) }
  const sealed = await crypto.subtle.encrypt(parameters, key, concat(plaintext))
  return concat(header, new Uint8Array(sealed))
}

/**
 * Opens a value sealed by `sealHeld` in the same place.
 * @param keyOf the space key of an epoch, when this member has it
 * @throws HeldError
 */
export async function openHeld(
  keyOf: (epoch: number) => SpaceKey | undefined,
  context: HeldContext,
  sealed: Uint8Array,
): Promise<Bytes> {
  if (sealed.length < HEADER + TAG || sealed[0] !== 0xb7 || sealed[1] !== 1 || sealed[2] !== 3)
    throw new HeldError('held record: the stored value is not a held record')
  const space = keyOf(sealed[3] ?? 0)
  if (space === undefined)
    throw new HeldError(`held record: it is of epoch ${sealed[3]}, for which this member has no key`)
  const encoded = encodeHeldContext(context)
  const { key, commitment, nonce } = await material(space, encoded, concat(sealed.subarray(4, 20)))
  if (!equalBytes(commitment, sealed.subarray(20, HEADER))) throw doesNotOpen()
  const parameters = {
    name: 'AES-GCM',
    iv: nonce,
    additionalData: concat(sealed.subarray(0, HEADER), encoded),
  }
  try {
    return new Uint8Array(await crypto.subtle.decrypt(parameters, key, concat(sealed.subarray(HEADER))))
  } catch {
    throw doesNotOpen()
  }
}

function doesNotOpen(): HeldError {
  return new HeldError(
    'held record: it does not open here; it was changed, moved, or sealed for another space',
  )
}

async function material(
  { key }: SpaceKey,
  encoded: Bytes,
  salt: Bytes,
): Promise<{ readonly key: WebKey; readonly commitment: Bytes; readonly nonce: Bytes }> {
  const recordKey = await hmac('SHA-256', key, concat(encoded, salt))
  const output = await hmac('SHA-512', recordKey, LABEL)
  const cipher = await crypto.subtle.importKey('raw', output.slice(0, 32), 'AES-GCM', false, [
    'encrypt',
    'decrypt',
  ])
  return { key: cipher, commitment: output.slice(32, 48), nonce: output.slice(48, 60) }
}

/** Longest name or key value in bytes, and most columns of a key: as `encodeContext` has them. */
const MAX_FIELD = 1_024
const MAX_KEY_COLUMNS = 16

/**
 * The same bytes as the server's `encodeContext`, and as strict: a length that does not fit, or a lone
 * surrogate, would let the server name two places that are one.
 * @throws HeldError when a name or key value is empty, too long or not well-formed Unicode
 */
export function encodeHeldContext({ tenant, table, column, row, version }: HeldContext): Bytes {
  if (table === '' || column === '' || row.length === 0 || row.length > MAX_KEY_COLUMNS || row.includes(''))
    throw new HeldError('held record: its place needs a table, a column and 1 to 16 key values')
  if (!Number.isSafeInteger(version) || version < 0)
    throw new HeldError('held record: its version must be a whole number')
  const end = new Uint8Array(8)
  new DataView(end.buffer).setBigUint64(0, BigInt(version))
  return concat(field(tenant), field(table), field(column), Uint8Array.of(row.length), ...row.map(field), end)
}

function field(text: string): Bytes {
  const bytes = utf8(text)
  if (bytes.length > MAX_FIELD || !text.isWellFormed())
    throw new HeldError(`held record: a name or key value is longer than ${MAX_FIELD} bytes, or no Unicode`)
  return concat(Uint8Array.of(bytes.length >> 8, bytes.length & 255), bytes)
}
