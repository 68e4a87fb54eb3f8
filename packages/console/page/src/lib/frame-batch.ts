/** Collects what arrives between two frames. */
export interface FrameBatch<Item> {
  add(items: readonly Item[]): void
  /** Forgets what waits. */
  cancel(): void
}

/**
 * Hands over what arrived once a frame at most, however often it arrives. A page that is not shown draws no
 * frames; what waits is then bounded, and the oldest items are dropped.
 */
export function frameBatch<Item>(limit: number, deliver: (items: readonly Item[]) => void): FrameBatch<Item> {
  let waiting: Item[] = []
  let frame: number | undefined
  const run = (): void => {
    frame = undefined
    const items = waiting
    waiting = []
    deliver(items)
  }
  return {
    add: items => {
      for (const item of items) waiting.push(item)
      if (waiting.length > limit) waiting.splice(0, waiting.length - limit)
      frame ??= requestAnimationFrame(run)
    },
    cancel: () => {
      if (frame !== undefined) cancelAnimationFrame(frame)
      frame = undefined
      waiting = []
    },
  }
}
