const MARKS: Readonly<Record<string, string>> = {
  Lights:
    '<path d="M150 70h100l18 34v96l-18 30H150l-18-30v-96z"/><path d="M200 122c22 26 22 44 0 58-22-14-22-32 0-58z" class="glow"/><path d="M170 70c0-40 60-40 60 0" fill="none"/>',
  Rope: '<circle cx="200" cy="150" r="74" fill="none"/><circle cx="200" cy="150" r="52" fill="none"/><circle cx="200" cy="150" r="30" fill="none"/><path d="M274 150q0 74 60 84" fill="none"/>',
  Galley:
    '<path d="M138 108h110v96q0 26-26 26h-58q-26 0-26-26z"/><path d="M248 126h18q26 0 26 28t-26 28h-18" fill="none"/><path d="M168 88q-10-16 0-32M200 88q-10-16 0-32M232 88q-10-16 0-32" fill="none"/>',
  Clothing:
    '<path d="M164 70q36 24 72 0l54 32-22 46-26-12v96H158v-96l-26 12-22-46z"/><path d="M200 84v148" fill="none"/>',
}

/** A picture of a product, drawn: the shop ships without image files. */
export function picture(category: string, hue: number): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 300" role="img">
<defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1"><stop stop-color="hsl(${hue} 38% 72%)"/><stop offset="1" stop-color="hsl(${(hue + 40) % 360} 42% 48%)"/></linearGradient></defs>
<style>g{fill:rgb(255 255 255/.22);stroke:#fff;stroke-width:7;stroke-linejoin:round;stroke-linecap:round}.glow{fill:#fff}</style>
<rect width="400" height="300" fill="url(#g)"/><path d="M0 262q50-22 100 0t100 0 100 0 100 0v38H0z" fill="#fff" opacity=".25"/><g>${MARKS[category] ?? MARKS['Rope']}</g></svg>`
}
