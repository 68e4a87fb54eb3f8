/** One line of a change. */
export interface DiffLine {
  readonly kind: 'same' | 'added' | 'removed'
  readonly text: string
}

/** Lines of unchanged text shown around a change. */
const CONTEXT = 3
/** Lines of the changed middle up to which the longest common part is sought. */
const MAX_SOUGHT = 600

/** What changes from one text to another, with a little of what stays around it; empty when nothing does. */
export function lineDiff(before: string, after: string): readonly DiffLine[] {
  const old = linesOf(before)
  const next = linesOf(after)
  let start = 0
  while (start < old.length && start < next.length && old[start] === next[start]) start++
  let end = 0
  while (
    end < old.length - start &&
    end < next.length - start &&
    old[old.length - 1 - end] === next[next.length - 1 - end]
  )
    end++
  const removed = old.slice(start, old.length - end)
  const added = next.slice(start, next.length - end)
  if (removed.length + added.length === 0) return []
  const same = (text: string): DiffLine => ({ kind: 'same', text })
  return [
    ...old.slice(Math.max(0, start - CONTEXT), start).map(same),
    ...middle(removed, added),
    ...old.slice(old.length - end, old.length - end + CONTEXT).map(same),
  ]
}

function linesOf(text: string): readonly string[] {
  if (text === '') return []
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')
}

/** By the longest common subsequence. */
function middle(removed: readonly string[], added: readonly string[]): readonly DiffLine[] {
  const take = (kind: DiffLine['kind'], lines: readonly string[]): readonly DiffLine[] =>
    lines.map(text => ({ kind, text }))
  if (removed.length > MAX_SOUGHT || added.length > MAX_SOUGHT)
    return [...take('removed', removed), ...take('added', added)]
  const width = added.length + 1
  const lengths = new Uint16Array((removed.length + 1) * width)
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0
  for (let i = removed.length - 1; i >= 0; i--)
    for (let j = added.length - 1; j >= 0; j--)
      lengths[i * width + j] =
        removed[i] === added[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  const lines: DiffLine[] = []
  let i = 0
  let j = 0
  while (i < removed.length && j < added.length) {
    const text = removed[i] ?? ''
    if (text === added[j]) {
      lines.push({ kind: 'same', text })
      i++
      j++
    } else if (at(i + 1, j) >= at(i, j + 1)) {
      lines.push({ kind: 'removed', text })
      i++
    } else {
      lines.push({ kind: 'added', text: added[j] ?? '' })
      j++
    }
  }
  return [...lines, ...take('removed', removed.slice(i)), ...take('added', added.slice(j))]
}
