import { type Bytes, concat, fromBase64, randomBytes, toBase64, utf8 } from './bytes.ts'
import { HeldError } from './held-error.ts'
import type { SpaceKey } from './held-record.ts'
import { hpkeSuite, type Member, type PublicMember, verifyMember } from './member.ts'

/**
 * A space key sealed to a member and signed by the one who granted it; texts are
 * base64url. Stored on the server.
 */
export interface Grant {
  readonly space: string
  readonly epoch: number
  /** Signing key of the member it is for. */
  readonly to: string
  /** Signing key of the member who granted it. */
  readonly by: string
  readonly encapsulated: string
  readonly ciphertext: string
  readonly signature: string
}

/** A new space: whoever has its key reads what is sealed in it. Grant it to yourself first. */
export function createSpace(): SpaceKey {
  return { space: toBase64(randomBytes(16)), epoch: 0, key: randomBytes(32) }
}

/**
 * The next epoch of a space, with a fresh key: after a member was removed, or by the
 * calendar. Grant it to those who remain. What the removed member could read before, he may
 * have copied; what is sealed from now on he cannot.
 * @throws HeldError after epoch 255
 */
export function nextEpoch({ space, epoch }: SpaceKey): SpaceKey {
  if (epoch >= 255) throw new HeldError('space: epoch 255 is the last one; make a new space and move into it')
  return { space, epoch: epoch + 1, key: randomBytes(32) }
}

/**
 * Seals a space key to a member. Compare fingerprints first: who gives the keys of a
 * stranger grants to a stranger.
 */
export async function grantSpace(by: Member, to: PublicMember, key: SpaceKey): Promise<Grant> {
  const suite = hpkeSuite(to.suite)
  const publicKey = await suite.DeserializePublicKey(fromBase64(to.encryption))
  const info = grantInfo(key.space, key.epoch, to.signing, by.public.signing)
  const { encapsulatedSecret, ciphertext } = await suite.Seal(publicKey, key.key, { info })
  const signature = await by.sign(concat(info, encapsulatedSecret, ciphertext))
  return {
    space: key.space,
    epoch: key.epoch,
    to: to.signing,
    by: by.public.signing,
    encapsulated: toBase64(encapsulatedSecret),
    ciphertext: toBase64(ciphertext),
    signature: toBase64(signature),
  }
}

/**
 * Opens a grant.
 * @param trusted members whose grants are taken: without this the server could grant
 *   a space whose key it knows
 * @throws HeldError
 */
export async function openGrant(
  member: Member,
  grant: Grant,
  trusted: readonly PublicMember[],
): Promise<SpaceKey> {
  const granter = trusted.find(({ signing }) => signing === grant.by)
  if (granter === undefined) throw new HeldError('grant: it is by nobody this member trusts')
  if (grant.to !== member.public.signing) throw new HeldError('grant: it is for another member')
  const info = grantInfo(grant.space, grant.epoch, grant.to, grant.by)
  const encapsulated = fromBase64(grant.encapsulated)
  const ciphertext = fromBase64(grant.ciphertext)
  if (!(await verifyMember(granter, concat(info, encapsulated, ciphertext), fromBase64(grant.signature))))
    throw new HeldError('grant: its signature is invalid')
  const key = await member.open(encapsulated, ciphertext, info)
  if (key.length !== 32) throw new HeldError('grant: a space key is 32 bytes long')
  return { space: grant.space, epoch: grant.epoch, key: concat(key) }
}

/**
 * Everything a grant says, so that none of it can be changed; one line each, none of
 * them contains a line break.
 */
function grantInfo(space: string, epoch: number, to: string, by: string): Bytes {
  if (!Number.isInteger(epoch) || epoch < 0 || epoch > 255)
    throw new HeldError('grant: an epoch is a whole number from 0 to 255')
  for (const text of [space, to, by])
    if (!/^[A-Za-z0-9_-]+$/.test(text)) throw new HeldError('grant: a name in it is not base64url')
  return utf8(`postern vault grant 1\n${space}\n${epoch}\n${to}\n${by}`)
}
