/**
 * Compiles a pattern of parts between separators: `*` or `:name` for one of them, `**` for any number at
 * the end. Case does not matter.
 * @param separator `.` for locations, `/` for paths
 */
export function locationTest(pattern: string, separator: string): (text: string) => boolean {
  const parts = pattern.toLowerCase().split(separator)
  return text => {
    const own = text.toLowerCase().split(separator)
    for (let i = 0; i < parts.length; i++) {
      if (parts[i] === '**') return true
      const part = own[i]
      if (part === undefined || (parts[i] !== '*' && !(parts[i] ?? '').startsWith(':') && parts[i] !== part))
        return false
    }
    return own.length === parts.length
  }
}
