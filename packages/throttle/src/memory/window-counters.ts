import type { BucketTable } from './bucket-table.ts'

/*
 * The counters of a slot. Narrow: a total and nine counts of 16 bits, newest first. Wide: five counts of 32
 * bits, newest first. Counts move up by as many places as sub-windows have begun; what moves beyond the last
 * place has left the window.
 */

/** Lets time pass for a slot; returns the units that still count. */
export function countNarrow(table: BucketTable, at: number, index: number): number {
  const { words, halves } = table
  const total = at * 2 + 6
  const passed = (index - (words[at + 2] as number)) | 0
  if (passed > 0) moveNarrow(table, at, passed)
  return halves[total] as number
}

/** Moves the counts by so many sub-windows, and forgets what leaves the window. */
function moveNarrow({ words, halves }: BucketTable, at: number, passed: number): void {
  const total = at * 2 + 6
  words[at + 2] = ((words[at + 2] as number) + passed) | 0
  if (passed > 8) {
    halves.fill(0, total, total + 10)
    return
  }
  let sum = 0
  for (let i = 8; i >= passed; i--) {
    const count = halves[total + 1 + i - passed] as number
    halves[total + 1 + i] = count
    sum += count
  }
  for (let i = 0; i < passed; i++) halves[total + 1 + i] = 0
  halves[total] = sum
}

export function addNarrow(table: BucketTable, at: number, cost: number): void {
  const total = at * 2 + 6
  table.halves[total] = (table.halves[total] as number) + cost
  table.halves[total + 1] = (table.halves[total + 1] as number) + cost
}

/** Takes units back that were counted `age` sub-windows ago. */
export function takeNarrow(table: BucketTable, at: number, age: number, cost: number): void {
  const total = at * 2 + 6
  const counted = Math.min(cost, table.halves[total + 1 + age] as number)
  table.halves[total] = (table.halves[total] as number) - counted
  table.halves[total + 1 + age] = (table.halves[total + 1 + age] as number) - counted
}

/** In how many sub-windows from the newest at least `needed` units will have left. */
export function narrowUntil(table: BucketTable, at: number, needed: number): number {
  const total = at * 2 + 6
  // A burst lies in the newest: nothing else is worth waiting for.
  if ((table.halves[total] as number) - (table.halves[total + 1] as number) < needed) return 9
  let freed = 0
  for (let age = 8; age >= 0; age--) {
    freed += table.halves[at * 2 + 7 + age] as number
    if (freed >= needed) return 9 - age
  }
  return 9
}

export function countWide(table: BucketTable, at: number, index: number): number {
  const words = table.words
  const passed = (index - (words[at + 2] as number)) | 0
  if (passed > 0) {
    words[at + 2] = index
    for (let i = 4; i >= 0; i--) words[at + 3 + i] = i >= passed ? (words[at + 3 + i - passed] as number) : 0
  }
  let sum = 0
  for (let i = 3; i < 8; i++) sum += words[at + i] as number
  return sum
}

export function addWide(table: BucketTable, at: number, cost: number): void {
  table.words[at + 3] = (table.words[at + 3] as number) + cost
}

export function takeWide(table: BucketTable, at: number, age: number, cost: number): void {
  const counted = table.words[at + 3 + age] as number
  table.words[at + 3 + age] = counted - Math.min(cost, counted)
}

export function wideUntil(table: BucketTable, at: number, needed: number): number {
  let freed = 0
  for (let age = 4; age >= 0; age--) {
    freed += table.words[at + 3 + age] as number
    if (freed >= needed) return 5 - age
  }
  return 5
}
