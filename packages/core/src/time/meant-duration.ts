const UNITS: readonly (readonly [pattern: RegExp, unit: string])[] = [
  [/^(?:ms|msecs?|millis|milliseconds?)$/, 'ms'],
  [/^(?:s|secs?|seconds?)$/, 's'],
  [/^(?:m|mins?|minutes?)$/, 'm'],
  [/^(?:h|hrs?|hours?)$/, 'h'],
  [/^(?:d|days?)$/, 'd'],
  [/^(?:w|wks?|weeks?)$/, 'w'],
]

/**
 * A duration as it is written here, of one in words or as ISO 8601 writes it: `1 min`, `2 weeks`, `1 hour 30
 * minutes`, `PT1M`; undefined where it is not clear what is meant, as with months.
 */
export function meantDuration(text: string): string | undefined {
  const spoken = text.slice(0, 60).trim()
  const iso = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(spoken)
  if (iso !== null) {
    const parts = ['w', 'd', 'h', 'm', 's'].map((unit, i) =>
      iso[i + 1] === undefined ? '' : iso[i + 1] + unit,
    )
    return parts.join('') || undefined
  }
  const plain = spoken.toLowerCase().replace(/^(?:an?|per|every)\s+/, '')
  const written = /^[a-z]/.test(plain) ? `1${plain}` : plain
  let meant = ''
  let end = 0
  for (const part of written.matchAll(
    /(\d{1,12}(?:[.,]\d{1,6})?)\s{0,4}([a-z]{1,12})(?:\s{0,4},?\s{0,4}(?:and\s)?|$)/gy,
  )) {
    const unit = UNITS.find(([pattern]) => pattern.test(part[2] ?? ''))?.[1]
    if (unit === undefined) return undefined
    meant += `${part[1]?.replace(',', '.')}${unit}`
    end = part.index + part[0].length
  }
  return end === written.length && end > 0 ? meant : undefined
}
