import { escapeHtml, plainPage } from './plain-page.ts'
import type { RefusalText } from './refusal-text.ts'

/**
 * The page that a person is shown: what happened, until when, a way on or back, and the number to tell. One
 * click on the number selects it whole.
 * @param ways what of its links apply: whether opening the address again repeats the request safely, and
 *   where it goes on
 */
export function refusalPage(
  text: RefusalText,
  ways: { readonly repeats: boolean; readonly next?: string | undefined },
): string {
  const { words, language, title, explanation, detail, until, id } = text
  const isForeign = language !== 'en' && !text.detailIsTranslated
  const links = [
    ways.next === undefined ? '' : `<a href="${escapeHtml(ways.next)}">${escapeHtml(words.goOn)}</a>`,
    ways.repeats ? `<a href="">${escapeHtml(words.again)}</a>` : '',
    `<a href="/">${escapeHtml(words.home)}</a>`,
  ]
  const main = `<svg aria-hidden="true" width="44" height="44" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"><path d="M12 3 4.5 6v5.5c0 4.6 3.1 8 7.5 9.5 4.4-1.5 7.5-4.9 7.5-9.5V6z"/><path d="M12 8v4.5M12 15.8v.1"/></svg>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(explanation)}</p>
${until === '' ? '' : `<p class="until">${escapeHtml(until)}</p>\n`}${detail === '' ? '' : `<p class="soft"${isForeign ? ' lang="en" dir="ltr"' : ''}>${escapeHtml(detail)}</p>\n`}<nav class="ways">${links.join('')}</nav>
${ways.repeats || ways.next !== undefined ? '' : `<p class="soft">${escapeHtml(words.back)}</p>\n`}<div class="help">
<p class="soft">${escapeHtml(words.mistake)}</p>
<p class="soft">${escapeHtml(words.number)}: <code dir="ltr">${escapeHtml(id)}</code></p>
</div>`
  return plainPage({ language, title, main })
}
