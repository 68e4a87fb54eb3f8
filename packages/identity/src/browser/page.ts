// What the pages' buttons do. A page works without it, but for passkeys.
import {
  confirmAct,
  createPasskey,
  hasPasskeys,
  PasskeyError,
  proveWithPasskey,
  signInWithPasskey,
} from './passkeys.ts'

/** The parts of an element that are used here, so that no DOM types are needed. */
interface Part {
  hidden: boolean
  disabled?: boolean
  textContent: string | null
  readonly dataset: Readonly<Record<string, string | undefined>>
  readonly tagName: string
  addEventListener(type: string, listener: (event: { preventDefault(): void }) => void): void
  querySelector(selector: string): (Part & { value?: string }) | null
}
interface Page {
  readonly document: {
    readonly body: Part
    querySelector(selector: string): Part | null
    querySelectorAll(selector: string): Iterable<Part>
  }
  readonly location: { assign(url: string): void }
}

const { document, location } = globalThis as typeof globalThis & Page
const base = document.body.dataset['base'] ?? '/.postern'

/** Runs what an element stands for, and goes where the server says. */
async function run(part: Part): Promise<void> {
  const { passkey, back, id, done } = part.dataset
  const options = back === undefined || back === '' ? { base } : { base, back }
  if (passkey === 'register') {
    await createPasskey(part.querySelector('[name=name]')?.value ?? '', options)
    location.assign(done ?? base)
  } else if (passkey === 'confirm') location.assign(await confirmAct(id ?? '', options))
  else if (passkey === 'prove') location.assign(await proveWithPasskey(options))
  else location.assign(await signInWithPasskey(options))
}

if (hasPasskeys()) {
  for (const part of document.querySelectorAll('.passkey-only')) part.hidden = false
  const fault = document.querySelector('[data-passkey-fault]')
  for (const part of document.querySelectorAll('[data-passkey]')) {
    const button = part.tagName === 'FORM' ? part.querySelector('button') : part
    part.addEventListener(part.tagName === 'FORM' ? 'submit' : 'click', event => {
      event.preventDefault()
      if (fault !== null) fault.hidden = true
      if (button !== null) button.disabled = true
      run(part)
        .catch((error: unknown) => {
          if (error instanceof PasskeyError && error.fault === 'step-up') location.assign(`${base}/step-up`)
          else if (error instanceof PasskeyError && error.fault === 'signed-out')
            location.assign(`${base}/sign-in`)
          else if (fault !== null) {
            fault.textContent = fault.dataset['passkeyFault'] ?? ''
            fault.hidden = false
          }
        })
        .finally(() => {
          if (button !== null) button.disabled = false
        })
    })
  }
}
