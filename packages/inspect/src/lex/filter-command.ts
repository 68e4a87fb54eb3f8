/** To the end of the command: of the line, the code or the text, or before the next filter. */
const FILTER_ENDS = '\\s{0,4}(?:$|\\n|\\||`|[.,;:)]\\s|[.)]$)'
/** Switches and numbers. */
const COUNTED = new RegExp(`^(?:\\s{1,4}(?:-{1,2}[a-z][\\w-]{0,16}|-?\\d{1,6})){0,4}${FILTER_ENDS}`)
/** Switches, and one word or quoted text without a place in it. */
const SEARCHING = new RegExp(
  `^(?:\\s{1,4}-{1,2}[a-z][\\w-]{0,16}){0,3}\\s{1,4}(?:[\\w.:=-]{1,40}|'[^'\\n/$\`]{1,60}'|"[^"\\n/$\`]{1,60}")${FILTER_ENDS}`,
)

/** Commands that read what is piped into them, and what may follow where they read nothing else. */
const FILTERS: ReadonlyMap<string, RegExp> = new Map([
  ...['head', 'tail', 'wc', 'sort', 'uniq', 'less', 'more', 'nl'].map(name => [name, COUNTED] as const),
  ...['grep', 'egrep', 'fgrep', 'jq', 'column', 'cut'].map(name => [name, SEARCHING] as const),
])

/**
 * Whether a command reads what is piped into it, and nothing else.
 * @param rest what stands behind its name
 */
export function isFiltering(command: string, rest: string): boolean {
  return FILTERS.get(command)?.test(rest) === true
}
