import { type ReactNode, useEffect, useRef } from 'react'
import { PLACES } from '../lib/places.ts'

const KEYS: readonly (readonly [string, string])[] = [
  ['/', 'Search for a request id, an address or a user'],
  ...PLACES.map(({ key, title }) => [`g ${key}`, `Go to ${title}`] as const),
  ['j k', 'Next or previous row'],
  ['Enter', 'Open the selected row'],
  ['p', 'Pause or resume Live'],
  ['Escape', 'Close, or leave a field'],
  ['?', 'Show these shortcuts'],
]

/** The keyboard shortcuts. */
export function HelpDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="help-title">
      <div className="row spread">
        <h1 id="help-title">Keyboard shortcuts</h1>
        <button type="button" className="button small" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
      <dl className="keys">
        {KEYS.map(([key, text]) => (
          <div key={key}>
            <dt>
              {key.split(' ').map(part => (
                <kbd key={part}>{part}</kbd>
              ))}
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  )
}
