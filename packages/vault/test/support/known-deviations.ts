/** A reason and the vectors it explains. */
interface Deviation {
  readonly reason: string
  readonly file: string
  readonly ids: readonly number[]
}

const DEVIATIONS: readonly Deviation[] = [
  {
    reason:
      'node refuses an AES-GCM nonce of 2,056 bits, although the mode allows it. Every nonce of the vault has 96 bits.',
    file: 'aes_gcm_test',
    ids: [268, 272, 276],
  },
  {
    reason:
      '"Acceptable" in the file: it wraps an 8 byte key, shorter than RFC 3394 section 2 allows. wrapKey and unwrapKey refuse it.',
    file: 'aes_wrap_test',
    ids: [12, 54, 109],
  },
  {
    reason:
      '"Acceptable" in the file: a public key of low order, the shared secret is zero. OpenSSL refuses it, as RFC 7748 section 6.1 allows and HPKE (RFC 9180 section 7.1.4) demands.',
    file: 'x25519_test',
    ids: [
      32, 33, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86,
      117, 118, 154, 165, 166,
    ],
  },
  {
    reason:
      'HPKE with sender authentication by key (modes 2 and 3) is not offered by the library. The vault seals to a member in base mode and signs what it grants.',
    file: 'rfc9180-appendix-a',
    ids: [2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27],
  },
]

/**
 * Conformance vectors that we knowingly do not follow, by `file#id`, and why.
 * Anything not listed fails the test.
 */
export const KNOWN_DEVIATIONS: Readonly<Record<string, string>> = Object.fromEntries(
  DEVIATIONS.flatMap(({ reason, file, ids }) => ids.map(id => [`${file}#${id}`, reason] as const)),
)
