import type { Page } from 'playwright-core'

/** What the frames of a page showed while something in it was scrolled. */
export interface ScrolledFrames {
  readonly frames: number
  /** Milliseconds between two frames: the middle, and the longest. */
  readonly median: number
  readonly longest: number
  /** Frames over 50 ms. */
  readonly slow: number
  /** Milliseconds of the longest frame that the browser calls long (Long Animation Frames); 0 without one. */
  readonly longestWork: number
  /** Most elements that the list had at once. */
  readonly elements: number
}

/**
 * Scrolls an element a little in each of `frames` frames, every tenth time far away as a dragged scroll bar
 * does, and measures how far apart the frames are.
 */
export async function scrollFrames(page: Page, selector: string, frames: number): Promise<ScrolledFrames> {
  return (await page.evaluate(`(async () => {
    const list = document.querySelector(${JSON.stringify(selector)})
    const frame = () => new Promise(resolve => requestAnimationFrame(resolve))
    const work = []
    const observer = new PerformanceObserver(entries => work.push(...entries.getEntries()))
    observer.observe({ type: 'long-animation-frame' })
    const gaps = []
    let elements = 0
    let before = await frame()
    for (let i = 0; i < ${frames}; i++) {
      if (i % 10 === 9) list.scrollTop = (i * 2654435761) % (list.scrollHeight - list.clientHeight)
      else list.scrollTop += 500
      const now = await frame()
      gaps.push(now - before)
      before = now
      elements = Math.max(elements, list.querySelectorAll('*').length)
    }
    await frame()
    work.push(...observer.takeRecords())
    observer.disconnect()
    gaps.sort((a, b) => a - b)
    return {
      frames: gaps.length,
      median: gaps[gaps.length >> 1],
      longest: gaps.at(-1),
      slow: gaps.filter(gap => gap > 50).length,
      longestWork: Math.max(0, ...work.map(({ duration }) => duration)),
      elements,
    }
  })()`)) as ScrolledFrames
}

/** Starts to measure interactions in a page (W3C Event Timing): from the input to the next frame painted. */
export async function watchInteractions(page: Page): Promise<void> {
  await page.evaluate(`(() => {
    window.interactionTimes = new Map()
    const take = entries => {
      for (const { interactionId, duration } of entries)
        if (interactionId > 0)
          window.interactionTimes.set(interactionId, Math.max(duration, window.interactionTimes.get(interactionId) ?? 0))
    }
    window.interactionObserver?.disconnect()
    window.interactionObserver = new PerformanceObserver(entries => take(entries.getEntries()))
    window.interactionObserver.observe({ type: 'event', durationThreshold: 16 })
  })()`)
}

/**
 * Milliseconds of each interaction since `watchInteractions`, in steps of 8; those under 16 ms are not
 * reported by browsers and are missing.
 */
export async function interactionTimes(page: Page): Promise<readonly number[]> {
  return (await page.evaluate(`(async () => {
    for (let i = 0; i < 3; i++) await new Promise(resolve => requestAnimationFrame(resolve))
    return [...window.interactionTimes.values()]
  })()`)) as readonly number[]
}

/** Milliseconds of processor time that the page's main thread takes to show another part of a list. */
export interface JumpCost {
  readonly median: number
  readonly most: number
}

/**
 * Scrolls an element far away, `jumps` times, and measures the processor time of the page's main thread until
 * it is painted: script, style, layout and paint. A busy machine changes it little.
 */
export async function jumpCost(page: Page, selector: string, jumps: number): Promise<JumpCost> {
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  const busy = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics')
    return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0) * 1_000
  }
  const costs: number[] = []
  for (let i = 1; i <= jumps; i++) {
    const before = await busy()
    await page.evaluate(`(async () => {
      const list = document.querySelector(${JSON.stringify(selector)})
      list.scrollTop = (${i} * 2654435761) % (list.scrollHeight - list.clientHeight)
      for (let i = 0; i < 3; i++) await new Promise(resolve => requestAnimationFrame(resolve))
    })()`)
    costs.push((await busy()) - before)
  }
  await session.detach()
  costs.sort((a, b) => a - b)
  return { median: costs[costs.length >> 1] ?? Number.NaN, most: costs.at(-1) ?? Number.NaN }
}
