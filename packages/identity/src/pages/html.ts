/** Text that is HTML already. Only the `html` tag makes it. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** What may stand in a template: text (escaped), HTML, lists of these, or nothing. */
export type Part = string | number | Html | undefined | readonly Part[]

/**
 * HTML from a template: whatever is put in is escaped, unless it is HTML itself. Attributes must be quoted.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let text = strings[0] ?? ''
  for (let i = 0; i < parts.length; i++) text += write(parts[i]) + (strings[i + 1] ?? '')
  return new Html(text)
}

function write(part: Part): string {
  if (part === undefined) return ''
  if (part instanceof Html) return part.text
  if (typeof part === 'object') return part.map(write).join('')
  return escapeText(String(part))
}

function escapeText(text: string): string {
  return text.replace(/[&<>"'`]/g, character => `&#${character.charCodeAt(0)};`)
}
