// Loaded by Node and not by the bundler: Postern opens files and databases, and
// finds what it ships with next to itself.
const { postern } = await import(/* turbopackIgnore: true */ 'postern')
const layer = await postern()

export const proxy = layer.next({ peer: request => request.headers.get('x-real-ip') ?? undefined })
