import { formFields } from '../pages/answers.ts'
import { html } from '../pages/html.ts'
import type { Page, PageRequest } from '../pages/page-request.ts'

/** Fields of the form that the server made: its own token against forged posts, above all. */
function hiddenFields(form: string): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {}
  for (const [, name = '', value = ''] of form.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g))
    fields[name] = value
  return fields
}

/** Where somebody types the code that a device shows. */
export function deviceInput(request: PageRequest, form: string, isWrong: boolean): Page {
  const { texts } = request
  const { xsrf } = hiddenFields(form)
  const code = request.query.get('user_code') ?? ''
  return {
    title: texts.deviceTitle,
    body: html`${isWrong ? html`<p class="fault" role="alert">${texts.deviceWrong}</p>` : undefined}<p>${texts.deviceHint}</p>
<form method="post" action="${request.exchange.path.canonical}">${formFields(request, { xsrf })}<label for="user_code">${texts.code}</label>
<input id="user_code" name="user_code" value="${code}" required maxlength="20" autocomplete="off" autocapitalize="characters" spellcheck="false"><button class="full">${texts.continue}</button></form>`,
  }
}

/** Where somebody says whether the code is the one on their device. */
export function deviceConfirm(request: PageRequest, form: string, client: string, code: string): Page {
  const { texts } = request
  const { xsrf, user_code } = hiddenFields(form)
  return {
    title: texts.consentTitle.replace('{client}', client),
    body: html`<p>${texts.deviceConfirm}</p><pre class="secret">${code}</pre>
<form method="post" action="${request.exchange.path.canonical}">${formFields(request, { xsrf, user_code, confirm: 'yes' })}<button class="full">${texts.continue}</button></form>
<form method="post" action="${request.exchange.path.canonical}">${formFields(request, { xsrf, user_code, abort: 'yes' })}<button class="full quiet">${texts.cancel}</button></form>`,
  }
}
