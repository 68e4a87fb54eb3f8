/** What the main thread tells a worker. */
export type ToWorker =
  | { readonly kind: 'begin' }
  | { readonly kind: 'reload'; readonly id: number; readonly data: unknown }
  | { readonly kind: 'stop'; readonly grace: number; readonly linger: number }
  | { readonly kind: 'message'; readonly data: unknown }

/** What a worker tells the main thread. */
export type FromWorker =
  | { readonly kind: 'ready' }
  /** Something threw that nobody caught: it answers what it has, and wants to be replaced. */
  | { readonly kind: 'failing'; readonly problem: string }
  | { readonly kind: 'reloaded'; readonly id: number; readonly problem: string | undefined }
  | { readonly kind: 'message'; readonly data: unknown }

/** What a worker is started with. */
export interface WorkerStart {
  readonly posternWorker: {
    /** From 0. A restarted worker keeps its index. */
    readonly index: number
    readonly count: number
    readonly reusePort: boolean
    /** What the latest reload handed out, for a worker that starts again after it. */
    readonly reloaded: { readonly data: unknown } | undefined
    /** What it counts, see `COUNTED`; the main thread reads it, also when the worker is gone. */
    readonly counted: SharedArrayBuffer
  }
  readonly data: unknown
}

/** Words of the memory that a worker counts in. */
const COUNTED = {
  /** Requests under way. */
  underWay: 0,
  /** Turns of its event loop, now and then. */
  beats: 1,
  /** Whatever its own code counts: `link.made`. */
  made: 2,
} as const

/** Memory for what a worker counts. */
export function countedMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(Object.keys(COUNTED).length * Int32Array.BYTES_PER_ELEMENT)
}

/** One word of it. */
export function countedWord(memory: SharedArrayBuffer, word: keyof typeof COUNTED): Int32Array {
  return new Int32Array(memory, COUNTED[word] * Int32Array.BYTES_PER_ELEMENT, 1)
}
