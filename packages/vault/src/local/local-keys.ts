import { createHash, timingSafeEqual } from 'node:crypto'
import {
  ConfigError,
  errorCode,
  IntegrityError,
  type RandomSource,
  systemRandom,
  writeProblem,
} from '@postern/core'
import { createSecretFile, readSecretFile } from '@postern/store'
import { HmacKey } from '../primitive/hmac-key.ts'

/** Characters of a key of 32 bytes in base64url. */
const KEY_LENGTH = 43

/** The keys of mode `local`, one per epoch. They never leave the object but through `format`. */
export class LocalKeys {
  readonly #keys: ReadonlyMap<number, Uint8Array>
  readonly #prfs: ReadonlyMap<number, HmacKey>
  /** Epoch that seals. */
  readonly current: number

  private constructor(keys: ReadonlyMap<number, Uint8Array>) {
    this.#keys = keys
    this.#prfs = new Map([...keys].map(([epoch, key]) => [epoch, new HmacKey('sha256', key)]))
    this.current = Math.max(...keys.keys())
  }

  /** One fresh key, epoch 0. */
  static generate(random: RandomSource = systemRandom): LocalKeys {
    return new LocalKeys(new Map([[0, random.bytes(32)]]))
  }

  /**
   * Reads the text of a key file: a line `EPOCH KEY CHECK` per epoch, `#` for comments.
   * @throws ConfigError naming the line; never its content
   */
  static parse(text: string, place: string): LocalKeys {
    const keys = new Map<number, Uint8Array>()
    for (const [index, line] of text.split('\n').entries()) {
      if (line.trim() === '' || line.startsWith('#')) continue
      const found = keyIn(line)
      if (found === undefined || keys.has(found.epoch)) {
        throw new ConfigError({
          place: `${place}:${index + 1}`,
          problem:
            found !== undefined ? `epoch ${found.epoch} is there twice` : 'is not a key line, or was damaged',
          hint: 'restore the file from its backup',
        })
      }
      keys.set(found.epoch, found.bytes)
    }
    if (keys.size === 0)
      throw new ConfigError({
        place,
        problem: 'has no key in it',
        hint: 'restore the file from its backup',
      })
    return new LocalKeys(keys)
  }

  /**
   * Reads a key file.
   * @throws ConfigError when it is missing, readable by others, or damaged
   */
  static read(path: string): LocalKeys {
    const text = readSecretFile(path, {
      missing: 'create it with LocalKeys.create',
      notFile: 'give the path of the key file',
    })
    return LocalKeys.parse(text, path)
  }

  /**
   * Creates a key file, mode 0600, with one fresh key.
   * @throws ConfigError when there is one already: writing over it would lose every record sealed with it
   */
  static create(path: string, random: RandomSource = systemRandom): LocalKeys {
    const keys = LocalKeys.generate(random)
    let isMade: boolean
    try {
      isMade = createSecretFile(path, keys.format())
    } catch (cause) {
      throw notMade(path, cause)
    }
    if (!isMade)
      throw new ConfigError({
        place: path,
        problem: 'already exists',
        hint: 'choose another path: a key file is never overwritten',
      })
    return keys
  }

  /** These and one fresh key, which seals from now on. */
  rotated(random: RandomSource = systemRandom): LocalKeys {
    if (this.current === 255)
      throw new ConfigError({
        place: 'vault local keys',
        problem: 'epoch 255 is the last one',
        hint: 'for a fresh key start another vault with `postern vault init`',
      })
    return new LocalKeys(new Map([...this.#keys, [this.current + 1, random.bytes(32)]]))
  }

  /** These without an epoch: what is still sealed with it is lost. */
  without(epoch: number): LocalKeys {
    const keys = new Map(this.#keys)
    keys.delete(epoch)
    if (keys.size === 0)
      throw new ConfigError({
        place: 'vault local keys',
        problem: 'the last key cannot be removed',
        hint: 'add a key first',
      })
    return new LocalKeys(keys)
  }

  /** The keyed function of an epoch. @throws IntegrityError when there is none */
  prf(epoch: number): HmacKey {
    const key = this.#prfs.get(epoch)
    if (key === undefined)
      throw new IntegrityError(
        `vault local keys: the record is of epoch ${epoch}, and the key file has ${[...this.#keys.keys()].join(', ')}; ` +
          'restore the key file that has this epoch',
      )
    return key
  }

  /** The keyed function of search terms of an epoch. @throws IntegrityError when there is none */
  terms(epoch: number): HmacKey {
    return new HmacKey('sha256', this.prf(epoch).digest(Buffer.from('postern vault terms 1')))
  }

  /** Text of the key file. Secret. */
  format(): string {
    const lines = [...this.#keys].map(([epoch, key]) => lineOf(epoch, key))
    return `# Postern vault keys: secret. A line per epoch: number, key, check.\n${lines.join('\n')}\n`
  }

  /** A name of each key, by its epoch: it tells keys apart, and says nothing about them. */
  fingerprints(): ReadonlyMap<number, string> {
    const named = [...this.#keys].map(([epoch, key]): readonly [number, string] => [
      epoch,
      createHash('sha256')
        .update(`postern vault key fingerprint ${epoch} `)
        .update(key)
        .digest('hex')
        .slice(0, 32),
    ])
    return new Map(named)
  }

  /** Whether both have the same keys. */
  equals(other: LocalKeys): boolean {
    const ours = createHash('sha256').update(this.format()).digest()
    return timingSafeEqual(ours, createHash('sha256').update(other.format()).digest())
  }
}

/**
 * The key of a line. Taken apart without a regular expression: the engine keeps the last text that one
 * matched (`RegExp.$_`), and with it the key.
 */
function keyIn(line: string): { readonly epoch: number; readonly bytes: Buffer } | undefined {
  const end = line.indexOf(' ')
  const epoch = Number(line.slice(0, end))
  const bytes = Buffer.from(line.slice(end + 1, end + 1 + KEY_LENGTH), 'base64url')
  const isEpoch = Number.isInteger(epoch) && epoch >= 0 && epoch <= 255
  // Only what would be written so is taken: one way to write a line.
  return isEpoch && line === lineOf(epoch, bytes) ? { epoch, bytes } : undefined
}

function lineOf(epoch: number, key: Uint8Array): string {
  return `${epoch} ${Buffer.from(key).toString('base64url')} ${checkOf(epoch, key)}`
}

/** Tells a damaged line from a whole one. */
function checkOf(epoch: number, key: Uint8Array): string {
  return createHash('sha256')
    .update(`postern vault local key ${epoch} `)
    .update(key)
    .digest('hex')
    .slice(0, 8)
}

function notMade(path: string, cause: unknown): ConfigError {
  const isFolderMissing = errorCode(cause) === 'ENOENT'
  return new ConfigError(
    {
      place: path,
      problem: isFolderMissing ? 'its folder does not exist' : `cannot be written: ${writeProblem(cause)}`,
      hint: isFolderMissing ? 'create the folder, or choose another path' : 'nothing was written',
    },
    { cause },
  )
}
