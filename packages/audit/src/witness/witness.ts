import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { type Clock, ConfigError, IntegrityError, systemClock } from '@postern/core'
import { type DirectoryLock, lockDirectory } from '@postern/store'
import { disk, type FileLayer } from '../files/file-layer.ts'
import { LogFiles } from '../files/log-files.ts'
import { type Checkpoint, openCheckpoint, parseCheckpoint } from '../format/checkpoint.ts'
import { type Cosigner, parseCosignerKey } from '../format/cosignature.ts'
import { verifyConsistency } from '../format/merkle-proof.ts'
import { EMPTY_ROOT } from '../format/merkle-tree.ts'
import { decodeBase64, formatSignatureLine, type NoteVerifier, parseNote } from '../format/note.ts'
import { parseVerifierKey } from '../format/note-key.ts'
import { HASH_BYTES, type Hash, sameBytes } from '../format/sha256.ts'

/** Where a witness keeps its state, its key, and the logs it cosigns. */
export interface WitnessOptions {
  /** Where the latest checkpoint of each log is kept. One process at a time. */
  readonly directory: string
  /** `PRIVATE+KEY+...` of type 4, as `generateNoteKey(name, COSIGNATURE)` makes it. A secret. */
  readonly signerKey: string
  readonly logs: readonly {
    readonly origin: string
    /** Keys any of which may have signed. */
    readonly verifierKeys: readonly string[]
  }[]
  readonly clock?: Clock
  readonly files?: FileLayer
}

/** The answer to `add-checkpoint`. */
export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422
  readonly contentType: 'text/plain; charset=utf-8' | 'text/x.tlog.size'
  readonly body: string
}

interface AddCheckpoint {
  readonly oldSize: bigint
  readonly proof: readonly Hash[]
  readonly note: string
}

const PLAIN = 'text/plain; charset=utf-8'

/**
 * Attests that logs only grow (C2SP tlog-witness): cosigns a checkpoint when it extends the last one it
 * cosigned, and never two that contradict each other, even across a crash.
 */
export class Witness {
  readonly #cosigner: Cosigner
  readonly #logs: ReadonlyMap<string, readonly NoteVerifier[]>
  readonly #store: LogFiles
  readonly #lock: DirectoryLock | undefined
  readonly #clock: Clock

  private constructor(options: WitnessOptions, lock: DirectoryLock | undefined) {
    this.#cosigner = parseCosignerKey(options.signerKey, 'witness.signerKey')
    this.#logs = new Map(
      options.logs.map(({ origin, verifierKeys }) => [
        origin,
        verifierKeys.map((key, i) => parseVerifierKey(key, `witness.logs["${origin}"].verifierKeys[${i}]`)),
      ]),
    )
    this.#store = new LogFiles(options.files ?? disk, options.directory)
    this.#lock = lock
    this.#clock = options.clock ?? systemClock
  }

  /**
   * @throws ConfigError for a malformed key
   * @throws StoreError when another process has the directory
   */
  static open(options: WitnessOptions): Witness {
    if (options.logs.length === 0)
      throw new ConfigError({ place: 'witness.logs', problem: 'is empty', hint: 'pass at least one log' })
    if (options.files !== undefined) return new Witness(options, undefined)
    disk.makeDirectory(options.directory)
    return new Witness(options, lockDirectory(options.directory, { name: 'witness' }))
  }

  /** What relying parties need to know about this witness. */
  get verifierKey(): string {
    return this.#cosigner.verifierKey
  }

  /**
   * Answers the body of an `add-checkpoint` request (C2SP tlog-witness): 200 with the cosignature; 400 for a
   * body that is malformed, 403 for a checkpoint that the log did not sign, 404 for an unknown log; 409 with
   * the last size when the request starts from another one, 422 when the proof of consistency does not hold.
   * Check and record are one step: nothing happens between them.
   */
  addCheckpoint(body: string): WitnessAnswer {
    const request = parseRequest(body)
    if (request === undefined) return { status: 400, contentType: PLAIN, body: 'the request is malformed\n' }
    const { oldSize, proof, note } = request
    let text: string
    let claimed: Checkpoint
    try {
      text = parseNote(note).text
      claimed = parseCheckpoint(text)
    } catch {
      return { status: 400, contentType: PLAIN, body: 'the checkpoint is malformed\n' }
    }
    const verifiers = this.#logs.get(claimed.origin)
    if (verifiers === undefined)
      return { status: 404, contentType: PLAIN, body: 'the log is not known here\n' }
    try {
      openCheckpoint(note, verifiers, claimed.origin)
    } catch {
      return { status: 403, contentType: PLAIN, body: 'the checkpoint is not signed by the log\n' }
    }
    if (oldSize > claimed.size)
      return { status: 400, contentType: PLAIN, body: 'the old size is beyond the new\n' }
    const last = this.#last(claimed.origin)
    const conflict: WitnessAnswer = { status: 409, contentType: 'text/x.tlog.size', body: `${last.size}\n` }
    if (oldSize !== last.size) return conflict
    if (oldSize === claimed.size && !sameBytes(last.root, claimed.root)) return conflict
    if (!verifyConsistency(oldSize, claimed.size, last.root, claimed.root, proof))
      return { status: 422, contentType: PLAIN, body: 'the consistency proof is invalid\n' }
    if (oldSize !== claimed.size || oldSize === 0n) this.#store.replace(fileName(claimed.origin), note)
    const cosignature = this.#cosigner.cosign(text, BigInt(Math.floor(this.#clock.now() / 1_000)))
    return { status: 200, contentType: PLAIN, body: formatSignatureLine(cosignature) }
  }

  /** Size and root last cosigned for a log; an empty tree when there was none. */
  #last(origin: string): Pick<Checkpoint, 'size' | 'root'> {
    const bytes = this.#store.files.read(join(this.#store.directory, fileName(origin)))
    if (bytes === undefined) return { size: 0n, root: EMPTY_ROOT }
    const last = parseCheckpoint(parseNote(Buffer.from(bytes).toString('utf8')).text)
    if (last.origin !== origin)
      throw new IntegrityError(`the witness's record of "${origin}" belongs to another log`)
    return last
  }

  close(): void {
    this.#lock?.release()
  }
}

/** Origins may hold any character: their hash names the file. */
function fileName(origin: string): string {
  return `${createHash('sha256').update(origin).digest('hex')}.checkpoint`
}

function parseRequest(body: string): AddCheckpoint | undefined {
  if (body.length > 100_000) return undefined
  const gap = body.indexOf('\n\n')
  const [first = '', ...lines] = body.slice(0, Math.max(0, gap)).split('\n')
  const old = /^old (0|[1-9]\d{0,18})$/.exec(first)
  const proof = lines.map(decodeBase64).filter(hash => hash?.length === HASH_BYTES)
  if (old === null || lines.length > 63 || proof.length !== lines.length) return undefined
  return {
    oldSize: BigInt(old[1] ?? '0'),
    proof: proof.filter(hash => hash !== undefined),
    note: body.slice(gap + 2),
  }
}
