/**
 * A target whose path begins with several slashes, with one of them: links like `https://shop//favicon.ico`
 * are common, and what follows two slashes is a host to some parsers and a path to others. Because slashes
 * are merged before anything is decided, rules and backend read the same path.
 */
export function mergedTarget(target: string): string {
  if (target.charCodeAt(0) !== 47 || target.charCodeAt(1) !== 47) return target
  let slash = 1
  while (target.charCodeAt(slash + 1) === 47) slash++
  return target.slice(slash)
}
