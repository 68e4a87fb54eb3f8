import { renameSync, writeFileSync } from 'node:fs'
import { PerformanceObserver } from 'node:perf_hooks'
import type { HolderCore } from '@postern/vault/holder'

/** Something that took from one time to another, in milliseconds of the clock that all processes share. */
export type Span = readonly [start: number, end: number]

/** What a holder did since it was asked last. */
export interface HolderFlight {
  readonly answers: readonly Span[]
  readonly collections: readonly Span[]
}

/** Milliseconds of `process.hrtime`: on Linux the same clock in every process. */
export function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** Adds the pauses of this process's garbage collector to a list. */
export function watchCollections(into: Span[]): void {
  const offset = sharedNow() - performance.now()
  new PerformanceObserver(list => {
    for (const { startTime, duration } of list.getEntries())
      into.push([startTime + offset, startTime + offset + duration])
  }).observe({ entryTypes: ['gc'] })
}

/**
 * Notes when a holder's core begins and ends an answer and when its memory is collected. Kept in memory and
 * written to a file when the process receives SIGUSR2, so that recording costs the pages nothing.
 */
export function recordHolder(core: HolderCore, path: string): void {
  let answers: Span[] = []
  const collections: Span[] = []
  const answer = core.answer.bind(core)
  core.answer = (service, body) => {
    const start = sharedNow()
    const made = answer(service, body)
    answers.push([start, sharedNow()])
    return made
  }
  watchCollections(collections)
  process.on('SIGUSR2', () => {
    const flight: HolderFlight = { answers, collections: collections.splice(0) }
    answers = []
    writeFileSync(`${path}.new`, JSON.stringify(flight))
    renameSync(`${path}.new`, path)
  })
}
