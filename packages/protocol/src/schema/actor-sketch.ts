/**
 * How many distinct actors there were, about, and on how many days: a few bits, from
 * which no actor can be identified.
 */
export interface ActorSketch {
  /** Two words of 32 bits: one bit for each actor's bucket. */
  low: number
  high: number
  /** One bit for each day, of the last 32. */
  days: number
}

const BUCKETS = 64
const DAY = 86_400_000

export function newSketch(): ActorSketch {
  return { low: 0, high: 0, days: 0 }
}

/**
 * Takes an actor into account.
 * @param actor what costs something to have in numbers: the network of the client, not its address
 * @param time milliseconds since 1970
 */
export function addActor(sketch: ActorSketch, actor: string, time: number): void {
  const bucket = hashOf(actor) % BUCKETS
  if (bucket < 32) sketch.low |= 1 << bucket
  else sketch.high |= 1 << (bucket - 32)
  sketch.days |= 1 << (Math.floor(time / DAY) % 32)
}

/** Adds what was seen elsewhere; the order does not matter. */
export function addSketch(sketch: ActorSketch, other: ActorSketch): void {
  sketch.low |= other.low
  sketch.high |= other.high
  sketch.days |= other.days
}

/**
 * Distinct actors by linear counting (Whang, Vander-Zanden, Taylor 1990): exact for few,
 * within a tenth up to a hundred, at most 266.
 */
export function actorsOf({ low, high }: ActorSketch): number {
  const empty = BUCKETS - ones(low) - ones(high)
  return Math.round(-BUCKETS * Math.log(Math.max(1, empty) / BUCKETS))
}

/** Distinct days, at most 32. */
export function daysOf({ days }: ActorSketch): number {
  return ones(days)
}

function ones(word: number): number {
  let count = 0
  for (let rest = word >>> 0; rest !== 0; rest &= rest - 1) count++
  return count
}

/** FNV-1a, mixed, so that networks that differ in one digit fall into different buckets. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  return (hash ^ (hash >>> 12)) >>> 0
}
