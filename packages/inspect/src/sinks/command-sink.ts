/** What acts in a shell command outside of quotes, and between double ones (POSIX, section 2.2.3). */
const ACTIVE = /[;|&`$<>\n({]|\s-/
const ACTIVE_IN_QUOTES = /["$`\\]/

/**
 * Whether a value of the request stands in a shell command where something in it acts: outside of quotes, or
 * by leaving those it stands in.
 */
export function escapesCommand(command: string, value: string): boolean {
  if (value.length < 2 || !(ACTIVE.test(value) || ACTIVE_IN_QUOTES.test(value))) return false
  let at = command.indexOf(value)
  for (let n = 0; at >= 0 && n < 16; n++) {
    const quote = openQuote(command, at)
    if (quote === "'" ? value.includes("'") : (quote === '"' ? ACTIVE_IN_QUOTES : ACTIVE).test(value))
      return true
    at = command.indexOf(value, at + 1)
  }
  return false
}

/** The quote that is open before a place of a command; '' for none. */
function openQuote(command: string, end: number): string {
  let open = ''
  for (let at = 0; at < end; at++) {
    const character = command[at] as string
    if (character === '\\' && open !== "'") at++
    else if (open === '') open = character === "'" || character === '"' ? character : ''
    else if (character === open) open = ''
  }
  return open
}
