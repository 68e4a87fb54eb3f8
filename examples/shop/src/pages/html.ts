/** Markup, as opposed to text that must be escaped. */
export interface Markup {
  readonly markup: string
}

type Part = string | number | null | undefined | Markup | readonly Markup[]

/** A template whose values are escaped, unless they are markup themselves. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return { markup: strings.reduce((text, string, index) => text + render(parts[index - 1]) + string) }
}

/** Lets text through as it is. Every use is a hole somebody can put a script through. */
export function unescaped(text: string): Markup {
  return { markup: text }
}

function render(part: Part): string {
  if (part === null || part === undefined) return ''
  if (typeof part === 'string' || typeof part === 'number')
    return String(part).replace(/[&<>"']/g, char => `&#${char.charCodeAt(0)};`)
  return 'markup' in part ? part.markup : part.map(render).join('')
}

/** Cents as people read them. */
export function money(cents: unknown): string {
  return `€ ${(Number(cents) / 100).toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`
}
