import { dirname } from 'node:path'
import type { DurableFile, FileLayer } from '../../src/files/file-layer.ts'

/** What happens to every call once the power is gone. */
export class PowerCut extends Error {}

interface Write {
  readonly bytes: Buffer
  /** Where, or undefined for "instead of everything". */
  readonly position: number | undefined
}

interface Inode {
  durable: Buffer
  /** Not synced, in order. */
  pending: Write[]
}

type NameChange =
  | { readonly kind: 'add'; readonly path: string; readonly inode: Inode }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string; readonly inode: Inode }

/** Random numbers that a seed repeats: [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

function apply(content: Buffer, { bytes, position }: Write): Buffer {
  if (position === undefined) return Buffer.from(bytes)
  const result = Buffer.alloc(Math.max(content.length, position + bytes.length))
  content.copy(result)
  bytes.copy(result, position)
  return result
}

/**
 * A disk that may lose its power at any operation. What was written and not synced is then there or not,
 * whole or torn, each write for itself, which is worse than what file systems with a journal do. Of the
 * changes of names that were not synced the first ones are there, as a journal keeps them.
 */
export class PowerCutFiles implements FileLayer {
  readonly #random: () => number
  #names = new Map<string, Inode>()
  #durableNames = new Map<string, Inode>()
  #changes: NameChange[] = []
  #left = Number.POSITIVE_INFINITY

  constructor(random: () => number) {
    this.#random = random
  }

  /** The power goes after so many more operations. */
  cutAfter(operations: number): void {
    this.#left = operations
  }

  get isCut(): boolean {
    return this.#left <= 0
  }

  /** What is found when the power is back. */
  restart(): PowerCutFiles {
    const after = new PowerCutFiles(this.#random)
    const names = new Map(this.#durableNames)
    const kept = Math.floor(this.#random() * (this.#changes.length + 1))
    for (const change of this.#changes.slice(0, kept)) {
      if (change.kind === 'remove') names.delete(change.path)
      else if (change.kind === 'add') names.set(change.path, change.inode)
      else {
        names.delete(change.from)
        names.set(change.to, change.inode)
      }
    }
    const survivors = new Map<Inode, Inode>()
    for (const [path, inode] of names) {
      const survivor = survivors.get(inode) ?? { durable: this.#afterCut(inode), pending: [] }
      survivors.set(inode, survivor)
      after.#names.set(path, survivor)
      after.#durableNames.set(path, survivor)
    }
    return after
  }

  #afterCut({ durable, pending }: Inode): Buffer {
    let content = durable
    for (const write of pending) {
      const fate = this.#random()
      if (fate < 0.4) continue
      const torn = fate < 0.7 ? Math.floor(this.#random() * write.bytes.length) : write.bytes.length
      content = apply(content, { ...write, bytes: write.bytes.subarray(0, torn) })
    }
    return content
  }

  #step(): void {
    this.#left--
    if (this.isCut) throw new PowerCut('the power is gone')
  }

  /** After the cut nothing answers any more. */
  async #later(work: () => void): Promise<void> {
    await new Promise<void>(resolve => setImmediate(resolve))
    if (this.#left <= 1) {
      this.#left = 0
      return new Promise(() => {})
    }
    this.#left--
    work()
  }

  #content(inode: Inode): Buffer {
    return inode.pending.reduce(apply, inode.durable)
  }

  #create(path: string): Inode {
    const inode: Inode = { durable: Buffer.alloc(0), pending: [] }
    this.#names.set(path, inode)
    this.#changes.push({ kind: 'add', path, inode })
    return inode
  }

  #syncNow(path: string): void {
    const inode = this.#names.get(path)
    if (inode !== undefined) {
      inode.durable = this.#content(inode)
      inode.pending = []
      return
    }
    const inDirectory = (name: string): boolean => dirname(name) === path
    this.#changes = this.#changes.filter(change => {
      const concerned = change.kind === 'rename' ? inDirectory(change.to) : inDirectory(change.path)
      if (!concerned) return true
      if (change.kind === 'remove') this.#durableNames.delete(change.path)
      else if (change.kind === 'add') this.#durableNames.set(change.path, change.inode)
      else {
        this.#durableNames.delete(change.from)
        this.#durableNames.set(change.to, change.inode)
      }
      return false
    })
  }

  async openDurable(path: string): Promise<DurableFile> {
    let inode: Inode | undefined
    await this.#later(() => {
      inode = this.#names.get(path) ?? this.#create(path)
    })
    const file = inode
    if (file === undefined) throw new PowerCut('the power is gone')
    return {
      write: (bytes, position) => {
        const copy = Buffer.from(bytes)
        return this.#later(() => file.pending.push({ bytes: copy, position }))
      },
      sync: () =>
        this.#later(() => {
          file.durable = this.#content(file)
          file.pending = []
        }),
      close: async () => {},
    }
  }

  syncLater(path: string): Promise<void> {
    return this.#later(() => this.#syncNow(path))
  }

  read(path: string, offset: number = 0, length: number = Number.POSITIVE_INFINITY): Uint8Array | undefined {
    const inode = this.#names.get(path)
    return inode === undefined ? undefined : this.#content(inode).subarray(offset, offset + length)
  }

  write(path: string, bytes: Uint8Array): void {
    this.#step()
    const inode = this.#names.get(path) ?? this.#create(path)
    inode.pending.push({ bytes: Buffer.from(bytes), position: undefined })
  }

  sync(path: string): void {
    this.#step()
    this.#syncNow(path)
  }

  rename(from: string, to: string): void {
    this.#step()
    const inode = this.#names.get(from)
    if (inode === undefined) throw new Error(`${from} is absent`)
    this.#names.delete(from)
    this.#names.set(to, inode)
    this.#changes.push({ kind: 'rename', from, to, inode })
  }

  remove(path: string): void {
    this.#step()
    if (this.#names.delete(path)) this.#changes.push({ kind: 'remove', path })
  }

  alone<T>(_directory: string, _name: string, work: () => T): T {
    return work()
  }

  removeDirectory(path: string): void {
    for (const name of [...this.#names.keys()]) if (name.startsWith(`${path}/`)) this.remove(name)
  }

  list(path: string): readonly string[] {
    const names = new Set<string>()
    for (const name of this.#names.keys()) {
      if (name.startsWith(`${path}/`)) names.add(name.slice(path.length + 1).split('/')[0] ?? '')
    }
    return [...names].sort()
  }

  /** Directories cost nothing here: a name that is durable brings those above it along. */
  makeDirectory(): readonly string[] {
    return []
  }
}
