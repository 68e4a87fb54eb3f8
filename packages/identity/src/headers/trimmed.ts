const { charCodeAt } = String.prototype

/**
 * A text without the spaces and tabs around it. In one pass: an expression for those at the end begins at
 * each of a run within, and a header may be one long run.
 */
export function withoutSpace(text: string): string {
  return trimmed(text, code => code === 32 || code === 9)
}

/** A text without what cannot be seen around it, or is not ASCII: what some servers take for space. */
export function withoutUnseen(text: string): string {
  return trimmed(text, code => code <= 32 || code >= 127)
}

function trimmed(text: string, isAround: (code: number) => boolean): string {
  let start = 0
  let end = text.length
  while (start < end && isAround(charCodeAt.call(text, start))) start++
  while (end > start && isAround(charCodeAt.call(text, end - 1))) end--
  return text.slice(start, end)
}
