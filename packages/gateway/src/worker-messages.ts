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
    /** One `Int32`: how many requests it has under way. The main thread reads it when the worker is gone. */
    readonly underWay: SharedArrayBuffer
  }
  readonly data: unknown
}
