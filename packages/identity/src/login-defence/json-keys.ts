/**
 * Whether an object anywhere in a JSON text names a field twice, letter case ignored. Parsers disagree on
 * which of the two counts (the last in JavaScript, the first elsewhere, either case in Go), so the account
 * that is checked here need not be the one that is signed in to there. The text must be valid JSON.
 */
export function hasRepeatedKeys(text: string): boolean {
  const open: (Set<string> | undefined)[] = []
  let expectsKey = false
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (char === '{') {
      open.push(new Set())
      expectsKey = true
    } else if (char === '[') {
      open.push(undefined)
      expectsKey = false
    } else if (char === '}' || char === ']') {
      open.pop()
      expectsKey = false
    } else if (char === ',') expectsKey = open.at(-1) !== undefined
    else if (char === '"') {
      const end = endOfString(text, i)
      const keys = open.at(-1)
      if (expectsKey && keys !== undefined) {
        const key = String(JSON.parse(text.slice(i, end))).toLowerCase()
        if (keys.has(key)) return true
        keys.add(key)
        expectsKey = false
      }
      i = end - 1
    }
  }
  return false
}

function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === '"') return i + 1
  }
  return text.length
}
