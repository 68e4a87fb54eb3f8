/**
 * A design token as a canvas takes it: what the browser makes of it in the theme in force.
 * @param token `--deny`
 */
export function resolvedColour(element: Element, token: string): string {
  const probe = document.createElement('span')
  probe.hidden = true
  probe.style.color = `var(${token})`
  element.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}
