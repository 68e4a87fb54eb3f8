import type { RefusalText } from './refusal-text.ts'

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
 * The page that a person is shown: what happened, until when, a way back, and the number to tell. It stands alone, runs no script, and follows the reader's colours. One click
 * on the number selects it whole.
 * @param repeats whether opening the address again repeats the request safely
 */
export function refusalPage(text: RefusalText, repeats: boolean): string {
  const { words, language, title, explanation, detail, until, id } = text
  const isForeign = language !== 'en'
  return `<!doctype html>
<html lang="${language}" dir="${words.direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<svg aria-hidden="true" width="44" height="44" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"><path d="M12 3 4.5 6v5.5c0 4.6 3.1 8 7.5 9.5 4.4-1.5 7.5-4.9 7.5-9.5V6z"/><path d="M12 8v4.5M12 15.8v.1"/></svg>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(explanation)}</p>
${until === '' ? '' : `<p class="until">${escapeHtml(until)}</p>\n`}${detail === '' ? '' : `<p class="soft"${isForeign ? ' lang="en" dir="ltr"' : ''}>${escapeHtml(detail)}</p>\n`}<nav class="ways">${repeats ? `<a href="">${escapeHtml(words.again)}</a>` : ''}<a href="/">${escapeHtml(words.home)}</a></nav>
${repeats ? '' : `<p class="soft">${escapeHtml(words.back)}</p>\n`}<div class="help">
<p class="soft">${escapeHtml(words.mistake)}</p>
<p class="soft">${escapeHtml(words.number)}: <code dir="ltr">${escapeHtml(id)}</code></p>
</div>
</main>
</body>
</html>
`
}

/** Text as it may stand in HTML, in quoted attributes too. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, char => `&#${char.charCodeAt(0)};`)
}
