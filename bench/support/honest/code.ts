import type { Draws } from './draws.ts'

/** Code on a paste site, and GraphQL. */
export function addCode({ out, post, get }: Draws): void {
  // paste
  const CODE = [
    'printf("Hello World");',
    'CREATE TABLE t (a int);',
    'Get-ChildItem -Path C:\\temp',
    'curl --proto =https -LsSf https://example.com/i.sh',
    'import x from "../../../../a.js"',
    'SELECT * FROM users WHERE id = 5;',
    'console.log("hi")',
    '#include <stdio.h>\nint main() { return 0; }',
    'def f(x):\n    return x + 1',
    '<div>hello</div>',
    'echo "hi"',
    'ls -la | grep x',
    'for (int i = 0; i < n; i++) { a[i] = 0; }',
    'const a = require("fs")',
    'git commit -m "x" && git push',
    'docker run -it --rm alpine sh',
    'System.out.println("x");',
    'let y = `a${b}`',
    'if __name__ == "__main__":\n    main()',
    'UPDATE t SET a = 1 WHERE b = 2;',
  ]
  for (const c of CODE)
    for (const f of ['code', 'snippet', 'source']) post('paste', '/api/paste', { [f]: c, language: 'x' })
  // graphql
  for (const q of [
    'query Q { user(id: "42") { name orders(first: 5) { id } } }',
    'mutation { login(email: "a@b.c", password: "x\' y") { token } }',
    '{ me { id } }',
    'query($id: ID!) { node(id: $id) { ... on User { name } } }',
    'query { search(query: "is:open label:\\"bug\\" OR x") { edges { node { id } } } }',
  ]) {
    post('graphql', '/graphql', {
      query: q,
      variables: { id: "O'B", input: { name: 'x & y' } },
      operationName: null,
    })
    get('graphql', `/graphql?query=${encodeURIComponent(q)}`)
    out.push({
      kind: 'graphql',
      method: 'POST',
      path: '/graphql',
      headers: { 'content-type': 'application/graphql' },
      body: q,
    })
  }
}
