import { ApiError } from './api.ts'

const CANCELLED = 'No passkey was used: it was cancelled, or this device has none for this console.'
const TOO_OLD = 'This browser cannot use passkeys here. It needs a name with TLS, or localhost.'

/** @throws ApiError in words for people */
async function asked(work: () => Promise<Credential | null>): Promise<unknown> {
  if (!('PublicKeyCredential' in window) || !('parseCreationOptionsFromJSON' in PublicKeyCredential))
    throw new ApiError(0, TOO_OLD)
  try {
    const credential = await work()
    if (credential instanceof PublicKeyCredential) return credential.toJSON()
  } catch (error) {
    // Whoever cancels and whoever has none look alike, on purpose (WebAuthn section 14.5).
    if (!(error instanceof DOMException)) throw error
  }
  throw new ApiError(0, CANCELLED)
}

/** Asks the browser for a passkey to sign in with. @param options PublicKeyCredentialRequestOptionsJSON */
export function askPasskey(options: PublicKeyCredentialRequestOptionsJSON): Promise<unknown> {
  return asked(() =>
    navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }),
  )
}

/** Lets the browser make a passkey. @param options PublicKeyCredentialCreationOptionsJSON */
export function makePasskey(options: PublicKeyCredentialCreationOptionsJSON): Promise<unknown> {
  return asked(() =>
    navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }),
  )
}

/** Whether passkeys can be for this origin: they need a name, and an address in numbers is none. */
export function hasPasskeys(): boolean {
  return isSecureContext && !/^(?:[\d.]+|\[.*\])$/.test(location.hostname)
}
