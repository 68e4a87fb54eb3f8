import { type ReactNode, useEffect, useRef } from 'react'
import { PHONE_PLACES, PLACES } from '../lib/places.ts'
import { to } from '../lib/route.ts'

/** The screens that a phone's navigation has no room for. */
export function MoreDialog({
  lit,
  onClose,
}: {
  readonly lit: string
  readonly onClose: () => void
}): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} className="sheet" onClose={onClose} aria-labelledby="more-title">
      <div className="row spread">
        <h1 id="more-title">More</h1>
        <button type="button" className="button small" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
      <ul>
        {PLACES.filter(({ id }) => !PHONE_PLACES.includes(id)).map(({ id, title }) => (
          <li key={id}>
            <a
              href={to(id)}
              aria-current={id === lit ? 'page' : undefined}
              onClick={() => dialog.current?.close()}
            >
              {title}
            </a>
          </li>
        ))}
      </ul>
    </dialog>
  )
}
