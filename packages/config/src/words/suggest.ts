/**
 * The known name that a mistyped one was most likely meant to be, or undefined when none is near. Case and
 * what stands between words are forgiven. Near means at most a third of the letters changed
 * (Damerau-Levenshtein, neighbours swapped count once).
 */
export function suggest(typed: string, known: readonly string[]): string | undefined {
  if (typed.length === 0 || typed.length > 60) return undefined
  let best: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const name of known) {
    const distance = editDistance(plain(typed), plain(name))
    if (distance < least) {
      least = distance
      best = name
    }
  }
  return least <= Math.max(1, Math.floor(typed.length / 3)) ? best : undefined
}

/** From this many letters on, the beginning of a name says which one is meant. */
const TELLING = 4

/** The only known name that is short for a typed one (`cert` for `certificate`), or that it is short for. */
export function suggestByStart(typed: string, known: readonly string[]): string | undefined {
  const wanted = plain(typed)
  const alike = known.filter(name => {
    const [short = '', long = ''] = [wanted, plain(name)].sort((a, b) => a.length - b.length)
    return short.length >= TELLING && long.startsWith(short)
  })
  return alike.length === 1 ? alike[0] : undefined
}

/** A name without what people spell differently: case, and `-`, `_`, `.` or blanks between words. */
export function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.\s]/g, '')
}

function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, at(beforeLast, j - 2) + 1)
      row.push(cost)
    }
    beforeLast = last
    last = row
  }
  return at(last, b.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY
}
