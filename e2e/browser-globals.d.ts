// What functions that run inside a page use of a browser, and Node has not. The whole DOM library would
// contradict Node's own types in the sources that the suites import.
interface PasskeyCredential {
  readonly rawId: ArrayBuffer
  getClientExtensionResults(): { readonly prf?: { readonly results?: { readonly first?: ArrayBuffer } } }
}
type PublicKeyCredential = PasskeyCredential
type CryptoKey = import('node:crypto').webcrypto.CryptoKey
interface Navigator {
  readonly credentials: {
    create(options: object): Promise<PasskeyCredential>
    get(options: object): Promise<PasskeyCredential>
  }
}
