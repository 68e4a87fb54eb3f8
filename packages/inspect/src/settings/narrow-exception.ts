/** The narrowest setting that would let a match pass, ready to paste. */
export function exceptionFor(rule: string, location: string, route: string): string {
  return `inspect: { except: [{ rule: '${rule}', parameter: '${plain(location)}', route: '${route}' }] }`
}

/** What ends the doubt about a long text: its parameter's type. */
export function typeSettingFor(location: string, route: string): string {
  return `routes: { '${route}': { inspect: { parameters: { '${plain(location)}': 'text' } } } }`
}

function plain(location: string): string {
  return location.replace(/[^\w.#@*-]/g, '').slice(0, 120)
}
