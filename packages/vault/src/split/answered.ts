import { IntegrityError } from '@postern/core'
import { combineParts, type HolderId, PART_BYTES, PARTS_OF, type Part } from './part.ts'

/** The parts one holder answered: for each, the outputs of all items, one after the other. */
export interface Answered {
  readonly holder: HolderId
  readonly parts: Readonly<Partial<Record<Part, Buffer>>>
}

/** A record key that the answers allow, and whose word it goes against. */
export interface OpenCandidate {
  readonly recordKey: Uint8Array
  readonly against: readonly HolderId[]
}

const PARTS: readonly Part[] = ['a', 'b', 'c']
const NOBODY: readonly HolderId[] = []

/**
 * Takes the answer of a holder apart.
 * @param count items that were asked for
 * @throws IntegrityError when a part or an output is missing
 */
export function readAnswer(
  holder: HolderId,
  parts: Readonly<Record<string, unknown>>,
  count: number,
): Answered {
  const decoded: Partial<Record<Part, Buffer>> = {}
  for (const part of PARTS_OF[holder]) {
    const outputs = Buffer.from(String(parts[part] ?? ''), 'base64url')
    if (outputs.length !== count * PART_BYTES)
      throw new IntegrityError(`holder ${holder}: a part is missing in its answer`)
    decoded[part] = outputs
  }
  return { holder, parts: decoded }
}

/** Holders that gave another output of some part than another holder, and of how many parts. */
export function contradicted(answers: readonly Answered[]): ReadonlyMap<HolderId, number> {
  const suspects = new Map<HolderId, number>()
  for (const part of PARTS) {
    const given = answers.filter(({ parts }) => parts[part] !== undefined)
    const [first, second] = given
    if (
      first === undefined ||
      second === undefined ||
      first.parts[part]?.equals(second.parts[part] as Buffer)
    )
      continue
    for (const { holder } of given) suspects.set(holder, (suspects.get(holder) ?? 0) + 1)
  }
  return suspects
}

/**
 * The keys of all items, from answers that do not contradict each other.
 * @throws IntegrityError when the answers do not make three parts
 */
export function combineAnswers(answers: readonly Answered[]): readonly Uint8Array[] {
  const [a, b, c] = PARTS.map(part => {
    const given = answers.find(({ parts }) => parts[part] !== undefined)?.parts[part]
    if (given === undefined) throw new IntegrityError('holders: two answers do not contain all three parts')
    return given
  }) as [Buffer, Buffer, Buffer]
  const { buffer, byteOffset, length } = combineParts(a, b, c)
  const keys: Uint8Array[] = []
  for (let at = 0; at < length; at += PART_BYTES)
    keys.push(new Uint8Array(buffer, byteOffset + at, PART_BYTES))
  return keys
}

/** Candidates of all items, from answers that do not contradict each other: one each. */
export function certainCandidates(answers: readonly Answered[]): readonly (readonly OpenCandidate[])[] {
  const keys = combineAnswers(answers)
  const candidates: OpenCandidate[][] = []
  for (let index = 0; index < keys.length; index++)
    candidates.push([{ recordKey: keys[index] as Uint8Array, against: NOBODY }])
  return candidates
}

/**
 * Every key that the answers allow for one item. One holder that lies twice can make its lies cancel out,
 * so the candidate that contradicts the fewest comes first.
 */
export function candidatesOf(answers: readonly Answered[], index: number): readonly OpenCandidate[] {
  const [as, bs, cs] = PARTS.map(part => versionsOf(answers, part, index))
  const found: OpenCandidate[] = []
  for (const a of as ?? [])
    for (const b of bs ?? [])
      for (const c of cs ?? [])
        found.push({
          recordKey: combineParts(a.output, b.output, c.output),
          against: [...new Set([...a.against, ...b.against, ...c.against])],
        })
  return found.sort((x, y) => x.against.length - y.against.length)
}

/** What the holders say one output of a part is, each version once, and who says otherwise. */
function versionsOf(
  answers: readonly Answered[],
  part: Part,
  index: number,
): readonly { readonly output: Buffer; readonly against: readonly HolderId[] }[] {
  const given = answers.flatMap(({ holder, parts }) => {
    const output = parts[part]?.subarray(index * PART_BYTES, (index + 1) * PART_BYTES)
    return output === undefined ? [] : [{ holder, output }]
  })
  const distinct = given.filter(
    ({ output }, position) => given.findIndex(other => other.output.equals(output)) === position,
  )
  return distinct.map(({ output }) => ({
    output,
    against: given.filter(other => !other.output.equals(output)).map(({ holder }) => holder),
  }))
}
