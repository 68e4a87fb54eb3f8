/** Vectors of Wycheproof that we treat otherwise than their `result` says, and why. */
export interface Deviation {
  readonly file: string
  readonly ids: readonly number[]
  readonly we: 'accept' | 'refuse'
  readonly because: string
}

const SIGNATURE = 'json_web_signature_test.json'
const ENCRYPTION = 'json_web_encryption_test.json'

export const DEVIATIONS: readonly Deviation[] = [
  {
    file: SIGNATURE,
    ids: [346, 350],
    we: 'refuse',
    because: 'the key says PS256 and the token PS384: a key is for the one algorithm that it names',
  },
  {
    file: SIGNATURE,
    ids: [347, 351],
    we: 'refuse',
    because: 'the key says "ES521", which is not an algorithm (a slip in the example of the RFC)',
  },
  {
    file: SIGNATURE,
    ids: [367, 370],
    we: 'accept',
    because:
      'the vectors are named for bad padding, but their text has none and is byte for byte a valid token',
  },
  {
    file: SIGNATURE,
    ids: [372, 373],
    we: 'refuse',
    because:
      'a character outside base64url stands in header or payload; only the one canonical spelling is read',
  },
  {
    file: ENCRYPTION,
    ids: [100, 101, 102, 103, 104, 105, 112, 128],
    we: 'refuse',
    because:
      'RSA1_5 cannot be opened without an oracle for its padding (Bleichenbacher 1998); never supported',
  },
  {
    file: ENCRYPTION,
    ids: [135],
    we: 'refuse',
    because: 'compressed (zip): a small token that becomes a large one',
  },
]
