import type { Draws } from './draws.ts'

/** Passwords and keys. */
export function addSecrets({ int, out, post, get }: Draws): void {
  // passwords
  const ASCII = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).join('')
  for (let i = 0; i < 1500; i++) {
    const pw = Array.from({ length: 12 + int(21) }, () => ASCII[int(94)]).join('')
    const m = int(4)
    if (m === 0) post('password', '/login', { email: 'a@b.c', password: pw })
    else if (m === 1)
      post('password', '/signup', { user: { name: 'a', newPassword: pw, password_confirmation: pw } })
    else if (m === 2)
      out.push({
        kind: 'password',
        method: 'POST',
        path: '/login',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ username: 'ann', password: pw }).toString(),
      })
    else get('password', `/reset?token=${encodeURIComponent(pw)}`)
  }
  for (const pw of [
    'correct horse battery staple; or 1',
    'I love <3 cats & dogs',
    "x' OR 1",
    'pa$$(word)',
    '{{curly}}',
    '%00%ff',
    'a;b|c',
    '--drop--',
    "it's a secret -- ok",
    '$(money)',
    '`tick`',
    '<b>old</b>',
  ])
    post('password', '/login', { email: 'a@b.c', password: pw })
}
