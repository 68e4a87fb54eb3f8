import type { RefusalLanguage } from '../decision/refusal-language.ts'

/** The content of a page of Postern. */
export interface PlainPage {
  readonly language: RefusalLanguage
  /** Text, not markup. */
  readonly title: string
  /** Markup inside `main`: its author has escaped what it quotes. */
  readonly main: string
  /** Rules of CSS besides those of every page. */
  readonly style?: string
}

const STYLE = `
:root{color-scheme:light dark;--page:#f4f5f7;--card:#fff;--text:#1c2127;--soft:#545c66;--line:#d9dde2;--mark:#b3541e;--act:#1f5fbf;--on:#fff}
@media (prefers-color-scheme:dark){:root{--page:#14171b;--card:#1d2127;--text:#e8eaed;--soft:#a9b1bb;--line:#353c45;--mark:#f0a070;--act:#8ab4f8;--on:#10151c}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:var(--page);color:var(--text);font:1rem/1.55 system-ui,sans-serif}
main{width:100%;max-width:34rem;background:var(--card);border:1px solid var(--line);border-radius:14px;padding:clamp(1.25rem,5vw,2.25rem)}
svg{display:block;color:var(--mark);margin-block-end:1rem}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .75rem}
p{margin:0 0 .75rem}
.until{font-weight:600}
.soft{color:var(--soft);font-size:.925rem}
.ways{display:flex;flex-wrap:wrap;gap:.6rem;margin:1.25rem 0}
.ways a{padding:.6rem 1.1rem;border-radius:9px;border:1px solid var(--act);color:var(--act);text-decoration:none}
.ways a:first-child{background:var(--act);color:var(--on)}
.ways a:hover{text-decoration:underline}
a:focus-visible{outline:3px solid var(--mark);outline-offset:2px}
.help{border-block-start:1px solid var(--line);padding-block-start:1rem;margin-block-start:1.25rem}
.help p:last-child{margin:0}
code{display:inline-block;max-width:100%;padding:.3rem .55rem;border:1px solid var(--line);border-radius:7px;background:var(--page);color:var(--text);font:.9rem ui-monospace,monospace;overflow-wrap:anywhere;user-select:all;-webkit-user-select:all}
`

/**
 * A page that stands alone: it loads nothing, runs no script of its own, follows the reader's colours and
 * fits a phone. Send it with a policy that allows inline styles and nothing else.
 */
export function plainPage({ language, title, main, style = '' }: PlainPage): string {
  return `<!doctype html>
<html lang="${language}" dir="${textDirection(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)}</title>
<style>${STYLE}${style}</style>
</head>
<body>
<main>
${main}
</main>
</body>
</html>
`
}

/** The direction in which a language is written, as the attribute `dir` has it. */
export function textDirection(language: RefusalLanguage): 'ltr' | 'rtl' {
  return language === 'ar' ? 'rtl' : 'ltr'
}

/** Text as it may stand in HTML, in quoted attributes too. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, char => `&#${char.charCodeAt(0)};`)
}
